"""Time, fidelity and size of traced drawings, beside outline tracers: python benchmarks/vectorize.py [--sketches FOLDER] [--n 12] [--size 1024] [--pen 2]

Without --sketches the ink of held-out OpenMoji drawings is traced. vtracer and potracer are measured when installed
(pip install vtracer potracer); they outline the ink instead of following the pen, so their paths are shapes.
"""
import argparse
import io
import re
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from sketchbook.data import OpenMojiPairs, find_photos, load_photo, render_svg
from sketchbook.tracer import coverage, find_ink, find_lines, measure, overlap, trace
from sketchbook.vectorize import refine_strokes
from sketchbook.virtual import InkOf, virtual
from sketchbook.weights import UnknownWeights


def sketches(folder, n, size, pen):
    if folder: return [cv2.cvtColor(load_photo(p), cv2.COLOR_RGB2GRAY).astype(np.float32)/255 for p in find_photos([folder])[:n]]
    drawings = InkOf(OpenMojiPairs('val'), sizes=(size, size+1), pens=(pen, pen))
    return [drawings[i] for i in range(0, len(drawings), max(1, len(drawings)//n))][:n]


def timed(f, *args, repeat=3):
    best = float('inf')
    for _ in range(repeat):
        began = time.perf_counter()
        result = f(*args)
        best = min(best, time.perf_counter()-began)
    return result, best


def by_strokes(draw, repeat=1):
    "A row of the table for a way from a sketch to strokes"
    def row(sketch):
        strokes,seconds = timed(draw, sketch, repeat=repeat)
        return dict(seconds=seconds) | measure(strokes, sketch)
    return row


def refined(draw): return lambda sketch: refine_strokes(draw(sketch), sketch, seconds=5, device='cpu')
def drawn(sketch): return virtual(sketch, device='cpu')


def thinned(sketch):
    lines,seconds = timed(lambda s: find_lines(find_ink(s)), sketch)
    return dict(seconds=seconds, strokes=len(lines.paths), points=sum(map(len, lines.paths)))


def contours(sketch):
    "Borders of the ink as polygons that stay within a pixel of it, as the tracer's curves do"
    ink = find_ink(sketch).astype(np.uint8)
    def polygons(): return [cv2.approxPolyDP(c, 1, True) for c in cv2.findContours(ink, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)[0]]
    found,seconds = timed(polygons)
    return dict(seconds=seconds, strokes=len(found), points=sum(map(len, found)))


def compared(svg, sketch):
    "Numbers of an SVG that another program wrote"
    h,w = sketch.shape
    # `render_svg` gives squares: a square around the page, cut to the page again
    square = re.sub(r'<svg[^>]*>', f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {max(h, w)} {max(h, w)}">', svg, count=1)
    ink,drawn = find_ink(sketch),render_svg(square, max(h, w))[:h,:w,0]<128
    return dict(ink_covered=coverage(ink, drawn), strokes_on_ink=coverage(drawn, ink), iou=overlap(ink, drawn))


def vtraced(sketch):
    import vtracer
    file = io.BytesIO()
    Image.fromarray((sketch*255).round().astype(np.uint8)).convert('RGB').save(file, 'PNG')
    svg,seconds = timed(lambda: vtracer.convert_raw_image_to_svg(file.getvalue(), img_format='png', colormode='binary'))
    data = re.findall(r' d="([^"]*)"', svg)
    points = sum(len(re.findall(r'-?[\d.]+[ ,]-?[\d.]+', d)) for d in data)
    return dict(seconds=seconds, strokes=sum(d.count('M') for d in data), points=points) | compared(svg, sketch)


def potraced(sketch):
    import potrace
    plist,seconds = timed(lambda: potrace.Bitmap(Image.fromarray((sketch*255).astype(np.uint8))).trace())
    path,points = '',0
    for curve in plist:
        path += f'M{curve.start_point.x} {curve.start_point.y}'
        points += 1
        for s in curve.segments:
            parts = (s.c, s.end_point) if s.is_corner else (s.c1, s.c2, s.end_point)
            points += len(parts)
            path += ('L' if s.is_corner else 'C') + ' '.join(f'{p.x} {p.y}' for p in parts)
        path += 'Z'
    h,w = sketch.shape
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}"><path fill-rule="evenodd" d="{path}"/></svg>'
    return dict(seconds=seconds, strokes=len(plist), points=points) | compared(svg, sketch)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--sketches', type=Path, help='folder of drawings, dark on white; OpenMoji when left out')
    parser.add_argument('--n', type=int, default=12, help='how many (%(default)s)')
    parser.add_argument('--size', type=int, default=1024, help='side of OpenMoji drawings, pixels (%(default)s)')
    parser.add_argument('--pen', type=float, default=2, help="pen of OpenMoji drawings, 72nds of their side; 2 is OpenMoji's own, 0.4 a fine line (%(default)s)")
    args = parser.parse_args()
    pages = sketches(args.sketches, args.n, args.size, args.pen)
    names = ('seconds', 'ink_covered', 'strokes_on_ink', 'iou', 'strokes', 'points')
    print(f'{len(pages)} drawings, means\n{"":14}' + ''.join(f'{n:>16}' for n in names))
    ways = dict(traced=by_strokes(trace, repeat=3), refined=by_strokes(refined(trace)), drawn=by_strokes(drawn),
                drawn_refined=by_strokes(refined(drawn)), thinned=thinned, contours=contours, vtraced=vtraced, potraced=potraced)
    for name,f in ways.items():
        try: rows = [f(p) for p in pages]
        except ImportError as e: print(f'{name:12}  not installed: {e.name}'); continue
        except UnknownWeights: print(f'{name:12}  no trained weights'); continue
        mean = {k: np.mean([r[k] for r in rows]) for k in rows[0]}
        print(f'{name:14}' + ''.join(f'{mean[n]:16.3f}' if n in mean else f'{"-":>16}' for n in names))


if __name__=='__main__': main()
