"""Time, fidelity and size of traced drawings: benchmarks/vectorize.py [--table ways|pens|lines] [--n 12] [--size 1024]

ways: the tracer, the network and outline tracers on one set of sketches (--sketches FOLDER, or the ink of held-out
OpenMoji drawings with --pen). vtracer and potracer are measured when installed (pip install vtracer potracer); they
outline the ink instead of following the pen, so their paths are shapes.
pens: the tracer on OpenMoji drawings without filled shapes, with pens of 1, 2, 3 and 5 pixels and OpenMoji's own.
lines: the tracer on photos' XDoG lines, drawn again with pens of 3 px (black) to 1.5 px (40 % dark), at 848 pixels, and
at 1600 pixels shrunk to 800; how much of the lines of each pen is found, and the time to write files.

IoU is binary: one threshold, Otsu's of the sketch, says what is ink in the sketch and in the drawing, and faint lines
count too. Soft IoU needs no threshold: the sum over pixels of the smaller ink, divided by that of the larger.
"""
import argparse
import io
import re
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from sketchbook.data import _find_photos, sample_photos
from sketchbook.drawings import OpenMojiPairs, ink_only, render_svg
from sketchbook.metrics import iou
from sketchbook.sketches import load_sketch
from sketchbook.sketchnet import xdog
from sketchbook.strokes import Stroke, Strokes
from sketchbook.tracer import _coverage, _find_ink, _find_lines, measure, _soft_overlap, trace
from sketchbook.vectorize import refine_strokes, _resize_sketch
from sketchbook.virtual import _InkOf, virtual
from sketchbook.weights import UnknownWeights


def sketches(folder, n, size, pen):
    if folder: return [load_sketch(p) for p in _find_photos([folder])[:n]]
    drawings = _InkOf(OpenMojiPairs('val'), sizes=(size, size+1), pens=(pen, pen))
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
    lines,seconds = timed(lambda s: _find_lines(_find_ink(s)), sketch)
    return dict(seconds=seconds, strokes=len(lines.paths), points=sum(map(len, lines.paths)))


def contours(sketch):
    "Borders of the ink as polygons that stay within a pixel of it, as the tracer's curves do"
    ink = _find_ink(sketch).astype(np.uint8)
    def polygons():
        return [cv2.approxPolyDP(c, 1, True) for c in cv2.findContours(ink, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)[0]]
    found,seconds = timed(polygons)
    return dict(seconds=seconds, strokes=len(found), points=sum(map(len, found)))


def compared(svg, sketch):
    "Numbers of an SVG that another program wrote"
    h,w = sketch.shape
    # `render_svg` gives squares: a square around the page, cut to the page again
    square = re.sub(r'<svg[^>]*>', f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {max(h, w)} {max(h, w)}">',
                    svg, count=1)
    ink,drawn = _find_ink(sketch),render_svg(square, max(h, w))[:h,:w,0]<128
    return dict(ink_covered=_coverage(ink, drawn), strokes_on_ink=_coverage(drawn, ink), iou=iou(ink, drawn))


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


def with_pen(svg, pen, size):
    "An OpenMoji drawing with a pen of so many pixels"
    svg = re.sub(r'stroke-width(="|:)\s*2(?=["; ])', lambda m: f'stroke-width{m[1]}{pen*72/size:.4f}', ink_only(svg))
    return render_svg(svg, size)[...,1].astype(np.float32)/255


def print_pens(n, size):
    pairs = OpenMojiPairs('val')
    bare = [i for i in range(len(pairs)) if with_pen(pairs.svg(i), .01, 256).min()>.5] # without a pen no ink is left
    drawings = [pairs.svg(i) for i in bare[::max(1, len(bare)//n)][:n]]
    names = ('seconds', 'soft_iou', 'iou', 'ink_covered', 'strokes_on_ink', 'strokes', 'points', 'width')
    print(f'{len(drawings)} drawings of {size} px without filled shapes, means\n{"pen":>6}'
          + ''.join(f'{n:>16}' for n in names))
    for pen in (1, 2, 3, 5, size/36):
        rows = []
        for page in (with_pen(svg, pen, size) for svg in drawings):
            strokes,seconds = timed(trace, page)
            width = np.median(np.concatenate([s.widths for s in strokes]))
            rows.append(dict(seconds=seconds, soft_iou=_soft_overlap(strokes, page), width=width)
                        | measure(strokes, page))
        print(f'{pen:6.1f}' + ''.join(f'{np.mean([r[n] for r in rows]):16.3f}' for n in names))


PENS = (3, 1), (2.5, .8), (2, .6), (1.5, .4) # width in pixels, ink


def fine_lines(photo, side):
    "Many fine lines: the lines of a photo, long ones bold and black, short ones thin and light; and each pen's strokes"
    zoom = side/max(photo.shape[:2])
    photo = cv2.resize(photo, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
    found = sorted((s for s in trace(xdog(photo, sigma=1.)) if s.length>=16), key=lambda s: -s.length)
    parts = [found[k*len(found)//4:(k+1)*len(found)//4] for k in range(4)]
    layers = [Strokes([Stroke(s.points, np.full(len(s)+1, w)) for s in p], *photo.shape[:2])
              for p,(w,_) in zip(parts, PENS)]
    return np.min([1-ink*(1-l.render()) for l,(_,ink) in zip(layers, PENS)], 0), layers


def found_again(strokes, wanted):
    "The share of the wanted strokes' centre lines within 1.5 px of a centre line found"
    h,w = strokes.height,strokes.width
    def at(xy): return tuple(xy[:,::-1].astype(int).clip(0, (h-1, w-1)).T)
    line = np.ones((h, w), np.uint8)
    line[at(strokes.sample()[0])] = 0
    return float((cv2.distanceTransform(line, cv2.DIST_L2, 5)[at(wanted.sample(h, w)[0])]<=1.5).mean())


def print_lines():
    print('photos with many fine lines, traced at 848 px and from 1600 px shrunk to 800\n'
          f'{"photo":12}{"side":>6}{"drawn":>7}{"strokes":>8}{"points":>7}{"seconds":>8}{"soft_iou":>9}'
          + ''.join(f'{f"{w:g}px,{ink:.0%}":>10}' for w,ink in PENS)
          + f'{"gif_s":>7}{"gif_kB":>7}{"svg_s":>7}{"svg_kB":>7}')
    for name,photo in sample_photos().items():
        for drawn_at,side in ((848, 848), (1600, 800)):
            page,layers = fine_lines(photo, drawn_at)
            if side!=drawn_at: page = _resize_sketch(page, side)
            strokes,seconds = timed(trace, page)
            with tempfile.TemporaryDirectory() as folder:
                gif = Path(folder)/'a.gif'
                _,gif_time = timed(strokes.animate, gif, repeat=1)
                gif_size = gif.stat().st_size
            text,svg_time = timed(strokes.to_svg, repeat=1)
            drawn, points = sum(len(l.strokes) for l in layers), sum(3*len(s)+1 for s in strokes)
            print(f'{name:12}{side:6}{drawn:7}{len(strokes):8}{points:7}{seconds:8.2f}'
                  f'{_soft_overlap(strokes, page):9.3f}' + ''.join(f'{found_again(strokes, l):10.3f}' for l in layers)
                  + f'{gif_time:7.2f}{gif_size/1000:7.0f}{svg_time:7.2f}{len(text)/1000:7.0f}')


def print_ways(args):
    pages = sketches(args.sketches, args.n, args.size, args.pen)
    names = ('seconds', 'ink_covered', 'strokes_on_ink', 'iou', 'strokes', 'points')
    print(f'{len(pages)} drawings, means\n{"":14}' + ''.join(f'{n:>16}' for n in names))
    ways = dict(traced=by_strokes(trace, repeat=3), refined=by_strokes(refined(trace)), drawn=by_strokes(drawn),
                drawn_refined=by_strokes(refined(drawn)), thinned=thinned, contours=contours, vtraced=vtraced,
                potraced=potraced)
    for name,f in ways.items():
        try: rows = [f(p) for p in pages]
        except ImportError as e: print(f'{name:12}  not installed: {e.name}'); continue
        except UnknownWeights: print(f'{name:12}  no trained weights'); continue
        mean = {k: np.mean([r[k] for r in rows]) for k in rows[0]}
        print(f'{name:14}' + ''.join(f'{mean[n]:16.3f}' if n in mean else f'{"-":>16}' for n in names))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--sketches', type=Path, help='folder of drawings, dark on white; OpenMoji when left out')
    parser.add_argument('--n', type=int, default=12, help='how many (%(default)s)')
    parser.add_argument('--size', type=int, default=1024, help='side of OpenMoji drawings, pixels (%(default)s)')
    parser.add_argument('--pen', type=float, default=2,
                        help="pen of OpenMoji drawings, 72nds of their side; 2 is OpenMoji's own, "
                             "0.4 a fine line (%(default)s)")
    parser.add_argument('--table', nargs='+', choices=('ways', 'pens', 'lines'), default=['pens', 'lines', 'ways'],
                        help='which tables (all)')
    args = parser.parse_args()
    if 'pens' in args.table: print_pens(args.n, args.size)
    if 'lines' in args.table: print_lines()
    if 'ways' in args.table: print_ways(args)


if __name__=='__main__': main()
