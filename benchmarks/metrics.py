"""Anchors of the boundary measures: python benchmarks/metrics.py FOLDER_OR_TAR [--n 25] [--thresholds 99] [--exact]

The data is a folder or tar of ID.jpg with ID.boundaries.K.png. Printed are OpenCV's Canny at the best setting of a
sweep (a setting is fixed for all photos), a Gaussian gradient as the simplest soft detector, and how well people agree
with each other.
--exact compares the fast matching with the shortest assignment, which is slow.
"""
import argparse
import time

import cv2
import numpy as np

from sketchbook.data import BoundaryPairs
from sketchbook.metrics import (_assign, _count_matches, _near, _nms, _summarize_boundaries, boundary_scores,
                                human_agreement, thin_lines)


def canny(photo, sigma, high, low=.4):
    "Canny's lines on the smoothed grey photo; `high` is a gradient per pixel in grey levels"
    grey = cv2.GaussianBlur(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), sigma)
    dx, dy = (cv2.Sobel(grey, cv2.CV_32F, *d)*2 for d in ((1, 0), (0, 1)))   # a Sobel sum is 8 times the gradient
    as_int = lambda d: np.rint(d.clip(-32768, 32767)).astype(np.int16)
    return (cv2.Canny(as_int(dx), as_int(dy), 16*high*low, 16*high, L2gradient=True) > 0).astype(np.float32)


def gradient(photo, sigma=2.):
    "Length of the grey gradient, 1 at its 99.5th percentile"
    grey = cv2.GaussianBlur(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), sigma)
    length = np.hypot(*np.gradient(grey))
    return (length/np.percentile(length, 99.5)).clip(0, 1)


def exact_counts(prob, boundaries, levels, max_dist=.0075):
    "`count_matches` with a shortest assignment at each threshold"
    ridges, radius = _nms(prob), max_dist*np.hypot(*prob.shape)
    counts = np.zeros((len(levels), 4), np.int64)
    for row, level in zip(counts, levels):
        points = np.argwhere(thin_lines(ridges >= level))
        pairs = [_assign(_near(points, np.argwhere(b), radius), 100*radius)[0] for b in boundaries]
        row[:] = sum(map(len, pairs)), boundaries.sum(), len(np.unique(np.concatenate(pairs))), len(points)
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('data')
    parser.add_argument('--n', type=int, default=25, help='photos')
    parser.add_argument('--thresholds', type=int, default=99)
    parser.add_argument('--workers', type=int, default=0)
    parser.add_argument('--exact', action='store_true')
    args = parser.parse_args()
    pairs = BoundaryPairs(args.data)
    photos, drawings = zip(*(pairs[i] for i in range(min(args.n, len(pairs)))))
    print(f'{len(photos)} photos')
    print(f'people against people: F {human_agreement(drawings):.3f}')
    began = time.perf_counter()
    print('gradient:', boundary_scores(map(gradient, photos), drawings, args.thresholds, workers=args.workers),
          f'{time.perf_counter()-began:.0f} s')
    score = {(s, h): boundary_scores((canny(p, s, h) for p in photos), drawings, [.5], suppress=False,
                                     workers=args.workers)
             for s in (1., 1.5, 2., 2.5, 3.) for h in (4., 6., 8., 10., 13.)}
    (sigma, high), best = max(score.items(), key=lambda kv: kv[1].ods)
    print(f'Canny, sigma {sigma} px, high {high}, low 0.4 of it: F {best.ods:.3f} (precision {best.ods_precision:.3f}, '
          f'recall {best.ods_recall:.3f})')
    if args.exact:
        levels = np.linspace(.05, .95, 10)
        maps = [gradient(p) for p in photos]
        for name, count in (('fast', _count_matches), ('exact', exact_counts)):
            print(f'{name} matching, 10 thresholds:',
                  _summarize_boundaries([count(m, d, levels) for m, d in zip(maps, drawings)], levels).summary())


if __name__ == '__main__': main()
