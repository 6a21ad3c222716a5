"""Prints how many hands a second PokerKit replays of the given PHH files (.phh, .phhs, or directories of them).

Files are read and parsed before the clock starts; a hand is replayed from its creation to its end stacks, as our own
benchmark (`benches/engine.rs`) does. The clock is processor time, in both. The last line is
`N hands, N actions, N hands/s, N actions/s`.
"""

import sys
import time
import warnings
from pathlib import Path

from pokerkit import HandHistory


def files(paths):
    for path in map(Path, paths):
        found = sorted(path.rglob('*.phh*')) if path.is_dir() else [path]
        yield from (file for file in found if file.suffix in ('.phh', '.phhs'))


def hands(paths):
    for file in files(paths):
        with open(file, 'rb') as opened:
            if file.suffix == '.phhs':
                yield from HandHistory.load_all(opened)
            else:
                yield HandHistory.load(opened)


def main(paths):
    warnings.simplefilter('ignore')
    histories = [hand for hand in hands(paths) if hand.variant == 'NT']
    decisions = sum(
        action.split()[0] != 'd' and action.split()[1] in ('f', 'cc', 'cbr')
        for hand in histories
        for action in hand.actions
        if action.split()
    )
    start = time.process_time()
    for hand in histories:
        for state in hand:
            pass
        assert not state.status
    seconds = time.process_time() - start
    count = len(histories)
    print(f'{count} hands, {decisions} actions, {count / seconds:.0f} hands/s, {decisions / seconds:.0f} actions/s')


if __name__ == '__main__':
    main(sys.argv[1:])
