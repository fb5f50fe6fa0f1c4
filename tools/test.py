"""Everything CI runs, in order; stops at the first step that fails: tools/test.py [STEP...]

Steps: exports, notebooks, readme, weights, chapters, tests. Without arguments all of them.
"""
import os, signal, subprocess, sys, time

import chapters as C

PY = sys.executable
WEIGHTS = '''
from sketchbook import weights
names = weights.available()
for n in names: weights.verify(n)
print(f"{len(names)} weight files match their cards: {', '.join(names)}")
'''
CHAPTERS = 'from nbdev.test import nbdev_test; nbdev_test(n_workers=2, timing=True)'
STEPS = {   # name: (what it asks, command, seconds it may take)
    'exports':   ('does the package hold what the chapters export?', [PY, 'tools/check_exports.py'], 120),
    'notebooks': ('are the notebooks clean, small and illustrated?', [PY, 'tools/check_notebooks.py'], 120),
    'readme':    ('is README.md what nbs/index.ipynb says?', [PY, 'tools/readme.py', '--check'], 120),
    'weights':   ('do the weights match their cards?', [PY, '-c', WEIGHTS], 120),
    'chapters':  ('does every chapter run?', [PY, '-c', CHAPTERS], 900),
    'tests':     ('does pytest pass?', [PY, '-m', 'pytest', '-q', '-n', '2', '--dist', 'worksteal'], 1800),
}


def environment():
    "One thread a process (two processes share the cores), nothing fetched from the network"
    env = {k:v for k,v in os.environ.items() if k!='IN_TEST'}
    return env | dict(OMP_NUM_THREADS='1', MKL_NUM_THREADS='1', HF_HUB_OFFLINE='1', PYTHONUNBUFFERED='1')


def run(command, seconds):
    "The exit status of `command`; it and all it started are ended after `seconds`"
    proc = subprocess.Popen(command, cwd=C.ROOT, env=environment(), start_new_session=True)
    try: return proc.wait(seconds)
    except subprocess.TimeoutExpired: print(f'stopped: it took longer than {seconds} s', flush=True)
    except KeyboardInterrupt: print('interrupted', flush=True)
    os.killpg(proc.pid, signal.SIGKILL)
    proc.wait()
    return 1


def main(names):
    unknown = [n for n in names if n not in STEPS]
    if unknown: print(f'there is no step {unknown[0]!r}; there are {", ".join(STEPS)}'); return 2
    for name in names or STEPS:
        asks,command,seconds = STEPS[name]
        print(f'\n== {name}: {asks}', flush=True)
        start = time.monotonic()
        if run(command, seconds): print(f'== {name} FAILED', flush=True); return 1
        # pytest closes with a line of its own
        if name!='tests': print(f'== {name}: yes ({time.monotonic()-start:.0f} s)', flush=True)
    return 0


if __name__=='__main__': sys.exit(main(sys.argv[1:]))
