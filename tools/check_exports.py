"Are the modules in the package exactly what the chapters export? Nothing is written but a temporary copy."
import difflib, os, shutil, subprocess, sys, tempfile
from pathlib import Path

import chapters as C

COPIED = ('nbs', 'sketchbook', 'settings.ini', 'pyproject.toml')


def modules(folder):
    "The text of every Python file under `folder`, by relative name"
    folder = Path(folder)
    return {str(p.relative_to(folder)): p.read_text(encoding='utf-8') for p in sorted(folder.rglob('*.py'))}


def fresh_export(root, tmp):
    "Export a copy of `root` made in `tmp`, starting without any module, and return what came out"
    ignore = shutil.ignore_patterns('__pycache__', '.ipynb_checkpoints', 'pretrained')
    for name in COPIED:
        src = Path(root)/name
        if src.is_dir(): shutil.copytree(src, tmp/name, ignore=ignore)
        else: shutil.copy(src, tmp/name)
    for p in (tmp/'sketchbook').rglob('*.py'):
        if p.name!='__init__.py': p.unlink()
    env = {k:v for k,v in os.environ.items() if k!='IN_TEST'}
    command = [sys.executable, '-c', 'from nbdev.doclinks import nbdev_export; nbdev_export()']
    run = subprocess.run(command, cwd=tmp, env=env, capture_output=True, text=True)
    if run.returncode: raise SystemExit(f'nbdev_export failed:\n{run.stdout}{run.stderr}')
    return modules(tmp/'sketchbook')


def differences(root=C.ROOT):
    "One text per module that is not what its chapter exports"
    with tempfile.TemporaryDirectory() as tmp: fresh = fresh_export(root, Path(tmp))
    here = modules(Path(root)/'sketchbook')
    found = [f'sketchbook/{n} has no chapter' for n in sorted(here.keys()-fresh.keys())]
    found += [f'sketchbook/{n} is missing' for n in sorted(fresh.keys()-here.keys())]
    for n in sorted(here.keys() & fresh.keys()):
        if here[n]!=fresh[n]:
            diff = difflib.unified_diff(fresh[n].splitlines(), here[n].splitlines(), 'exported now', f'sketchbook/{n}',
                                        n=1, lineterm='')
            found.append('\n'.join(list(diff)[:40]))
    return found


def main():
    found = differences()
    for d in found: print(d)
    if found: print('The package is not what the chapters export: edit the chapters, then run `make export`.')
    return bool(found)


if __name__=='__main__': sys.exit(main())
