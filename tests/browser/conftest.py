"The browser tests' one fixture, `lab`: JupyterLab and a browser, started once for a file of tests"
from pathlib import Path

import pytest

import lab as L

SHOTS = Path(__file__).parent/'screenshots'


@pytest.fixture(scope='module')     # not longer: while it is open, no other test could use asyncio
def lab(tmp_path_factory):
    missing = L.what_is_missing()
    if missing: pytest.skip(missing)
    with L.Lab(tmp_path_factory.mktemp('lab'), SHOTS) as opened: yield opened


def pytest_terminal_summary(terminalreporter):
    made = sorted(p.name for p in SHOTS.glob('*.png'))
    if made: terminalreporter.write_line(f'screenshots of the explorers: {SHOTS}: {", ".join(made)}')
