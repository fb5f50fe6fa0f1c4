"""Write .ci/constraints.txt: the versions in this environment, which CI installs and `make sketch` does not

A version that its own metadata keeps from Python 3.10 binds from 3.11 on only.
"""
import platform, re
from importlib.metadata import distributions

import chapters as C

PATH = C.ROOT/'.ci'/'constraints.txt'


def pins():
    "One line a package, without what is made here, and 2.14.1 for 2.14.1+cu130, which PyPI does not have"
    found = {}
    for d in distributions():
        name = re.sub('[-_.]+', '-', d.metadata['Name']).lower()
        needs = re.search(r'>=\s*3\.(\d+)', d.metadata.get('Requires-Python') or '')
        newer = f'; python_version >= "3.{needs[1]}"' if needs and int(needs[1])>10 else ''
        if name not in ('sketchbook', 'pip'): found[name] = f'{name}=={d.version.partition("+")[0]}{newer}'
    # see setup.sh
    if 'opencv-python' in found:
        found['opencv-python-headless'] = found['opencv-python'].replace('python=', 'python-headless=')
    return [found[n] for n in sorted(found)]


def main():
    note = f'# what was tested, on Python {platform.python_version()}; made by tools/constraints.py\n'
    C.write(PATH, note + '\n'.join(pins()) + '\n')


if __name__=='__main__': main()
