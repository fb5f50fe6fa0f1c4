"What every test may use: one thread per process, no display, no network, and the shared data where it exists"
import os
from pathlib import Path

for name in ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS'): os.environ.setdefault(name, '1')
os.environ.setdefault('MPLBACKEND', 'agg')
os.environ['HF_HUB_OFFLINE'] = '1'   # nothing may be downloaded behind a test's back

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope='session')
def root():
    "The repository's root folder"
    return ROOT


@pytest.fixture(scope='session')
def shared_data():
    "The folder with the training and development data; tests that ask for it skip where it is absent"
    folder = ROOT.parent/'shared'/'data'
    if not folder.is_dir(): pytest.skip('the shared training and development data is not on this machine')
    return folder


@pytest.fixture(scope='session')
def small_nets(tmp_path_factory):
    "Files of small untrained networks, `mask` and `sketch`: for what does not depend on training"
    import torch
    from sketchbook import masknet, sketchnet, weights
    folder = tmp_path_factory.mktemp('weights')
    torch.manual_seed(0)
    made = dict(mask=masknet.MaskNet(version=2), sketch=sketchnet.SketchNet('shallow', width=.1))
    return {k: weights.save(net, folder/f'{k}.safetensors') for k, net in made.items()}
