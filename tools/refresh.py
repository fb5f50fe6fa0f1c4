"""Run chapters in a real Jupyter kernel and store their pictures: tools/refresh.py NAME...

Cells that say `#| eval: false` or carry one of the flags of settings.ini do not run and keep the outputs they have.
What differs from run to run (execution counts, addresses, widget ids) is left out, so a second refresh changes nothing.
"""
import argparse, copy, os, sys, tempfile
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbdev.clean import clean_nb

import chapters as C

WIDGET = 'application/vnd.jupyter.widget-view+json'
KERNEL = {'display_name': 'python3', 'language': 'python', 'name': 'python3'}


class OwnKernel(AsyncKernelManager):
    "This interpreter's kernel, whatever kernels the user has registered elsewhere"
    @property
    def kernel_spec(self):
        argv = [sys.executable, '-m', 'ipykernel_launcher', '-f', '{connection_file}', '--log-level=40']
        return KernelSpec(argv=argv, display_name='python3', language='python')


def kernel_env(home):
    "The environment of the kernel: one thread, no user profile, Matplotlib inline, not a test"
    env = {k:v for k,v in os.environ.items() if k not in ('IN_TEST', 'MPLBACKEND', 'MATPLOTLIBRC')}
    path = os.pathsep.join(filter(None, [str(C.ROOT), env.get('PYTHONPATH')]))
    return env | dict(OMP_NUM_THREADS='1', PYTHONHASHSEED='0', HF_HUB_OFFLINE='1', PYTHONPATH=path,
                      MPLBACKEND='module://matplotlib_inline.backend_inline', IPYTHONDIR=home)


def joined(outputs):
    "`outputs` with neighbouring pieces of one text stream put together, however the kernel cut them"
    res = []
    for o in outputs:
        if res and o['output_type']=='stream'==res[-1]['output_type'] and o['name']==res[-1]['name']:
            res[-1]['text'] += o['text']
        else: res.append(copy.deepcopy(o))
    return res


def storable(output):
    "`output` without what changes from run to run, or None when nothing is left of it"
    output = copy.deepcopy(output)
    if 'metadata' in output: output['metadata'] = {}
    data = output.get('data')
    if data is None: return output
    if data.pop(WIDGET, None) is not None:   # without its widget the text says nothing but a class name
        data.pop('text/plain', None)
    if 'image/png' in data: data.pop('image/jpeg', None)     # Pillow's pictures come as both
    return output if data else None


def execute(nb, folder, timeout=600):
    "Run `nb`'s cells in `folder`, in place"
    with tempfile.TemporaryDirectory() as home:
        client = NotebookClient(nb, km=OwnKernel(), timeout=timeout, resources={'metadata': {'path': str(folder)}},
                                store_widget_state=False)
        client.execute(env=kernel_env(home))


def refresh(path, timeout=600):
    "Execute the notebook at `path` and store its outputs; True if the file changed"
    path = Path(path)
    nb = nbformat.read(path, as_version=4)
    flags = C.flags()
    run = copy.deepcopy(nb)
    live = [not C.skipped_whole(nb) and C.runs(c, flags) for c in nb.cells]
    for c,ok in zip(run.cells, live):
        if c.cell_type=='code' and not ok: c.source = ''
    execute(run, path.resolve().parent, timeout)
    for old,new,ok in zip(nb.cells, run.cells, live):
        if ok: old['outputs'] = joined(new['outputs'])
        if old.cell_type=='code': old['outputs'] = [o for o in map(storable, old['outputs']) if o is not None]
    nb['metadata'].pop('widgets', None)
    nb['metadata']['kernelspec'] = dict(KERNEL)
    clean_nb(nb)
    nbformat.validate(nb)
    return C.write(path, nbformat_text(nb))


def nbformat_text(nb):
    "`nb` as it is stored on disk: multi-line strings split into lines"
    return C.dumps(nbformat.v4.rwbase.split_lines(copy.deepcopy(nb)))


def main(argv=None):
    p = argparse.ArgumentParser(description='Run chapters and store their pictures')
    p.add_argument('chapters', nargs='*', help='names such as 00_data; default: all')
    p.add_argument('--timeout', type=int, default=600, help='seconds a cell may take')
    args = p.parse_args(argv)
    for path in [C.find_chapter(n) for n in args.chapters] or C.chapters():
        try: changed = refresh(path, args.timeout)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as e:
            print(f'{path.name}: {e}', file=sys.stderr); return 1
        print(f'{path.name}: {"pictures stored" if changed else "nothing changed"}')
    return 0


if __name__=='__main__': sys.exit(main())
