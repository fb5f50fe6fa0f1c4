"What becomes of the hidden folders in which results are made"
import os
import subprocess
import sys
import time

import pytest

from sketchbook import folders


def left_behind(out, owner, age):
    part = out/f'.part-{owner}-x'
    part.mkdir()
    os.utime(part, (time.time() - age,)*2)
    return part


@pytest.mark.skipif(os.name != 'posix', reason='elsewhere no process can be asked')
@pytest.mark.parametrize('age', [0, 7200])
def test_only_the_folder_of_a_live_process_stays(tmp_path, age):
    here = folders._this_machine()
    alive = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)
    ended = subprocess.Popen([sys.executable, '-c', ''])
    ended.wait()
    try:
        mine, other = (left_behind(tmp_path, f'{here}-{pid}', age) for pid in (os.getpid(), alive.pid))
        gone = left_behind(tmp_path, f'{here}-{ended.pid}', age)
        folders.check_output(tmp_path)
        assert mine.exists() and other.exists() and not gone.exists()
    finally:
        alive.communicate(b'\n')
    folders.check_output(tmp_path)
    assert mine.exists() and not other.exists()


def test_where_nobody_can_know_an_hour_counts(tmp_path):
    parts = [left_behind(tmp_path, f'{who}-{age}', age) for age in (0, 7200) for who in ('elsewhere-7', 'nobody')]
    folders.check_output(tmp_path)
    assert [p.exists() for p in parts] == [True, True, False, False]
