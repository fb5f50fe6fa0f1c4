"""What each shipped network costs on this machine, in one table: benchmarks/run.py [--threads 2] [--rounds 5]

Every network does its usual work once to warm up, then some rounds: milliseconds (best of the rounds) on the processor
and, where there is one, on CUDA; the largest memory of a process that does nothing else, beyond one that only imports
the package; and parameters. Each network runs in a process of its own. `--markdown` prints the table for the README.
"""
import argparse, json, os, platform, resource, subprocess, sys
from pathlib import Path

import cv2
import numpy as np
import torch

from sketchbook import weights
from sketchbook.blocks import _pick_device
from sketchbook.data import sample_photos
from sketchnet import best_of


def photo(side, name='astronaut'):
    "A sample photo as a square"
    return cv2.resize(sample_photos(name)[name][:512,:512], (side, side), interpolation=cv2.INTER_AREA)


def ring(side):
    "A drawing: two circles"
    page = np.full((side, side), 255, np.uint8)
    for r in (.2, .4): cv2.circle(page, (side//2, side//2), int(r*side), 0, 2, cv2.LINE_AA)
    return page.astype(np.float32)/255


def mask(device):
    from sketchbook import masknet
    return '512 x 512 photo', lambda p=photo(512): masknet.predict(p, device=device)


def sketch(device):
    from sketchbook import sketchnet
    return '512 x 512 photo at 848', lambda p=photo(512): sketchnet.draw(p, device=device)


def shade(device):
    from sketchbook import pencil
    return '512 x 512 lines', lambda p=ring(512): pencil.draw(p, device=device)


def shade_photo(device):
    from sketchbook import pencil
    return '512 x 512 photo', lambda p=photo(512): pencil.draw_photo(p, device=device)


def tom(device):
    from sketchbook.tom import sketch_photo
    return '512 x 512 photo', lambda p=photo(512): sketch_photo(p, device=device)


def strokes(device):
    from sketchbook import virtual
    return '256 x 256 lines', lambda p=ring(256): virtual.virtual(p, device=device)


def colour(device):
    from sketchbook import palette
    return '128 x 128 lines', lambda p=ring(128): palette.complete(p, device=device)


def style(device):
    from sketchbook import selfsup
    return '128 x 128 lines', lambda p=ring(128), s=photo(128): selfsup.synthesize(p, s, device=device)


def paint(device):
    from sketchbook import pirec
    small = photo(128)
    return '128 x 128 edges', lambda e=pirec.edges(small), c=pirec.color_domain(small): pirec.draw(e, c, device=device)


def repaint(device):
    from sketchbook import pirec
    small = photo(128)
    return '128 x 128 edges', lambda e=pirec.edges(small), c=small: pirec.refine(e, c, device=device)


WORKS = {'masknet-v2': mask, 'sketchnet': sketch, 'virtual': strokes, 'pencil': shade, 'pencil-photo': shade_photo,
         'tom': tom, 'sketch2image': colour, 'selfsup': style, 'pirec-generating': paint, 'pirec-refinement': repaint}


def peak(): # MB, of this process so far
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/(1024 if platform.system() == 'Linux' else 1024**2)


def measure(name, device, rounds):
    "One network in this process: what it works on, seconds, peak memory in MB"
    what, work = WORKS[name](device)
    before = peak()
    work()
    return dict(work=what, seconds=best_of(rounds, work), memory=peak() - before)


def apart(name, device, args):
    "`measure` in a process of its own"
    words = [sys.executable, __file__, '--only', name, '--device', device, '--rounds', str(args.rounds)]
    words += ['--threads', str(args.threads)]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode: sys.exit(f'{name} on {device} failed:\n{done.stderr}')
    return json.loads(done.stdout.splitlines()[-1])


def table(found, markdown):
    "The rows as text"
    cuda = any('cuda' in r for r in found.values())
    head = ['network', 'parameters', 'works on', 'CPU ms', *['CUDA ms']*cuda, 'memory MB']
    rows = [[name, f'{r["parameters"]/1e6:.2f} M', r['cpu']['work'], f'{1e3*r["cpu"]["seconds"]:.0f}',
             *([f'{1e3*r["cuda"]["seconds"]:.1f}'] if cuda else []), f'{r["cpu"]["memory"]:.0f}']
            for name, r in found.items()]
    widths = [max(map(len, c)) for c in zip(head, *rows)]
    lines = ['  '.join(t.ljust(w) for t, w in zip(r, widths)).rstrip() for r in [head, *rows]]
    if not markdown: return '\n'.join(lines)
    return '\n'.join('| ' + ' | '.join(r) + ' |' for r in [head, ['---']*len(head), *rows])


def main(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--threads', type=int, default=2, help='of the processor (%(default)s)')
    p.add_argument('--rounds', type=int, default=5, help='timed calls of each (%(default)s)')
    p.add_argument('--markdown', action='store_true', help='print the table as Markdown')
    p.add_argument('--json', type=Path, help='also write the numbers into this file')
    p.add_argument('--only', help=argparse.SUPPRESS)
    p.add_argument('--device', default='cpu', help=argparse.SUPPRESS)
    args = p.parse_args(argv)
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    if args.only:
        print(json.dumps(measure(args.only, str(_pick_device(args.device)), args.rounds)))
        return 0
    devices = ['cpu', *['cuda']*torch.cuda.is_available()]
    found = {name: {'parameters': weights.card(name)['n_params'], **{d: apart(name, d, args) for d in devices}}
             for name in WORKS if name in weights.available()}
    print(f'{os.cpu_count()} CPU cores ({platform.machine()}), {args.threads} threads, torch {torch.__version__}\n')
    print(table(found, args.markdown))
    if args.json: args.json.write_text(json.dumps(found, indent=1) + '\n')
    return 0


if __name__ == '__main__': sys.exit(main())
