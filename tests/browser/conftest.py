"The browser tests' fixtures, started once for a file of tests: `lab` (JupyterLab and a browser), `app` (our own page)"
from importlib.util import find_spec
from pathlib import Path

import pytest

import lab as L

SHOTS = Path(__file__).parent/'screenshots'


def started(server, folder):
    missing = L.what_is_missing()
    if missing: pytest.skip(missing)
    with server(folder, SHOTS) as opened: yield opened


# not for longer than a module: while a browser is open, no other test could use asyncio
@pytest.fixture(scope='module')
def lab(tmp_path_factory): yield from started(L.Lab, tmp_path_factory.mktemp('lab'))


@pytest.fixture(scope='module')
def app(tmp_path_factory):
    if not find_spec('voila'): pytest.skip('the page needs voila')     # to import it takes seconds
    yield from started(L.App, tmp_path_factory.mktemp('app'))


def pytest_terminal_summary(terminalreporter):
    made = sorted(p.name for p in SHOTS.glob('*.png'))
    if made: terminalreporter.write_line(f'screenshots of the explorers: {SHOTS}: {", ".join(made)}')
