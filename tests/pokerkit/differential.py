"""Replays hands that the rules engine played in PokerKit and compares everything.

    cargo run --example differential -- 1000 40 1 PO | python tests/pokerkit/differential.py

Half of the hands have random stacks, most of them short; the others are of tables where players come, post, sit out
and go, with dead buttons and dead blinds. For each hand PokerKit is asked who is to act, what a call costs and the
bounds of a raise at every decision, and the end stacks; once more after replaying the hand that the engine exported.
(Folding is always possible in both.) The rules themselves, `Hand.legal` and `settle.py`, have to agree too: they know
neither engine.

Where PokerKit 0.7.7 is known to differ from the rules the difference has a name in `KNOWN`, and it must be exactly the
one that the rule explains. If the engine then does what PokerKit cannot follow, the comparison with PokerKit ends for
that hand, not that with the rules. Any other difference fails the run. The counts are on the last line.
"""

import json
import sys
import warnings
from collections import Counter

from pokerkit import Automation, HandHistory, Mode

from betting import KNOWN as KNOWN_OF_BETTING, betting
from games import STANDARD, create_state
from settle import settle, uncalled

AUTOMATIONS = (
    Automation.ANTE_POSTING,
    Automation.BET_COLLECTION,
    Automation.BLIND_OR_STRADDLE_POSTING,
    Automation.HOLE_CARDS_SHOWING_OR_MUCKING,
    Automation.RUNOUT_COUNT_SELECTION,
    Automation.HAND_KILLING,
    Automation.CHIPS_PUSHING,
    Automation.CHIPS_PULLING,
)


class Mismatch(Exception):
    """The engines differ, and no rule says why."""


class Hand:
    """A hand as the engine told it, followed by what the rules say about chips."""

    def __init__(self, line):
        self.line = line
        self.stacks = line['stacks']
        self.count = len(self.stacks)
        self.small, self.big = line['small_blind'], line['big_blind']
        self.code = line['game']
        if line['posted']:
            self.sb = line['posted']['small_blind_place']
            self.bb = line['posted']['big_blind_place']
            self.antes, self.dead, self.street = (list(line['posted'][key]) for key in ('antes', 'dead', 'live'))
            self.left = [stack - sum(paid) for stack, *paid in zip(self.stacks, self.antes, self.dead, self.street)]
        else:
            self.post(line)
        self.bets = [0] * self.count
        self.folded = [False] * self.count
        self.preflop = True
        self.acted = [False] * self.count
        self.full_raise = self.big
        # What the blinds are short of (R14); all of it where nobody is in the small one.
        paid = lambda place: 0 if place is None else self.street[place]
        owed = 0 if line['button_blind'] else self.small
        self.missing = max(owed - paid(self.sb), 0) + max(self.big - paid(self.bb), 0)
        self.betting = betting(self)

    def post(self, line):
        """Antes and blinds as the stakes say, not as the engine does."""
        # Heads-up the button posts the small blind, and he is last in order.
        self.sb, self.bb = (1, 0) if self.count == 2 else (0, 1)
        if line['button_blind']:
            self.sb, self.bb = None, self.count - 1
        left = list(self.stacks)
        self.antes, self.dead, self.street = [0] * self.count, [0] * self.count, [0] * self.count
        for i in range(self.count):
            self.antes[i] = min(line['ante_each'], left[i])
            left[i] -= self.antes[i]
        for i, blind in (self.sb, self.small), (self.bb, self.big):
            if i is None:
                continue
            self.street[i] = min(blind, left[i])
            left[i] -= self.street[i]
        # R12: the ante of the big blind comes after the blind.
        self.dead[self.bb] = min(line['ante_big_blind'], left[self.bb])
        left[self.bb] -= self.dead[self.bb]
        if line['straddle'] is not None:
            self.street[line['straddle']] = 2 * self.big
            left[line['straddle']] -= 2 * self.big
        self.left = left

    def to_match(self):
        """The bet of this street; before the flop never below the big blind (R5)."""
        return max(max(self.street), self.big if self.preflop else 0)

    def legal(self, i):
        """What a call costs and the bounds of a raise, by R2 to R5, R14 and R15."""
        highest, mine, left = self.to_match(), self.street[i], self.left[i]
        others = [j for j in range(self.count) if j != i and not self.folded[j]]
        if all(self.left[j] == 0 for j in others):
            most = max(self.street[j] for j in others)
            return min(max(min(highest, most) - mine, 0), left), None, None
        call = min(highest - mine, left)
        if left <= call or (self.acted[i] and not self.betting.reopened(highest - mine)):
            return call, None, None
        return call, *self.betting.bounds(i)

    def act(self, step):
        i, action = step['place'], step['action'].split()
        before = self.to_match()
        if action[0] == 'f':
            self.folded[i] = True
        else:
            to = self.street[i] + step['call'] if action[0] == 'cc' else int(action[1])
            self.left[i] -= to - self.street[i]
            self.street[i] = to
            if to - before >= self.full_raise:
                self.full_raise = to - before
            if action[0] == 'cbr':
                self.betting.raised(to)
        self.acted[i] = True

    def next_street(self):
        for i, back in enumerate(uncalled(self.street)):
            self.street[i] -= back
            self.left[i] += back
        self.bets = [a + b for a, b in zip(self.bets, self.street)]
        self.street = [0] * self.count
        self.acted = [False] * self.count
        self.preflop = False
        self.full_raise = self.big
        self.betting.next_street()

    def settled(self):
        """The end stacks by `settle.py`."""
        return self.paid_out(self.folded)

    def settled_as_pokerkit(self, state, how):
        """With what `settle` says of PokerKit; it also takes pots together that differ only by players who mucked."""
        return self.paid_out([not status for status in state.statuses], how)

    def paid_out(self, folded, as_pokerkit=''):
        won = settle(self.code, self.antes, self.dead, self.bets, folded, self.line['holes'], self.line['board'], as_pokerkit)
        return [left + chips for left, chips in zip(self.left, won)]

    def streets_end(self, steps, n):
        """Whether the betting of a street ends before step `n`."""
        live = [i for i in range(self.count) if not self.folded[i]]
        if len(live) == 1 or n == len(steps):
            return True
        able = [i for i in live if self.left[i] > 0]
        target = self.to_match()
        if len(able) == 1:
            others = [self.street[i] for i in live if i != able[0]]
            target = min(target, max(others))
        return all(self.acted[i] and self.street[i] >= target for i in able)


def create(hand):
    """The hand in PokerKit before the first decision, made of the antes and blinds of the exported hand."""
    line = hand.line
    # PokerKit reads no history of a game without a code; the arrays are the same.
    standard = 'variant = "PO"' if line['game'][0] == 'P' else 'variant = "NT"'
    text = line['phh'] if hand.code in STANDARD else line['phh'].replace(f'variant = "{hand.code}"', standard)
    history = HandHistory.loads(text)
    if not line['posted']:
        antes, blinds = [line['ante_each']] * hand.count if line['ante_each'] else hand.dead, [0] * hand.count
        blinds[hand.bb] = hand.big
        if hand.sb is not None:
            blinds[hand.sb] = hand.small
        if line['straddle'] is not None:
            blinds[line['straddle']] = 2 * hand.big
        if hand.count == 2:  # the format's arrays are reversed heads-up
            antes, blinds = antes[::-1], blinds[::-1]
        if (history.antes, history.blinds_or_straddles) != (antes, blinds):
            raise Mismatch('the export has other antes or blinds')
    bets = (history.small_bet, history.big_bet) if line['limits'] else (history.min_bet,)
    return create_state(
        hand.code,
        AUTOMATIONS,
        history.ante_trimming_status,
        tuple(history.antes),
        tuple(history.blinds_or_straddles),
        bets,
        line['limits'],
        line['stacks'],
        Mode.CASH_GAME,
    )


def deal(state, line, board):
    """Deals until somebody is to act or the hand is over; returns how much of the board is dealt."""
    while state.status and state.actor_index is None:
        if state.can_burn_card():
            state.burn_card('??')
        elif state.can_deal_hole():
            i = state.hole_dealee_index
            dealt = len(state.hole_cards[i])
            state.deal_hole(line['holes'][i][2 * dealt:2 * dealt + 2])
        elif state.can_deal_board():
            count = state.board_dealing_count
            state.deal_board(line['board'][2 * board:2 * (board + count)])
            board += count
        else:
            raise Mismatch('PokerKit waits for something else')
    return board


def needless_check(hand, state):
    """R15: one player with chips is left and he has matched; PokerKit asks him to check all the same."""
    i = state.actor_index
    if i is None or hand.folded[i]:
        return False
    able = [j for j in range(hand.count) if not hand.folded[j] and hand.left[j] > 0]
    others = [hand.street[j] for j in range(hand.count) if j != i and not hand.folded[j]]
    return able == [i] and hand.street[i] >= max(others) and state.checking_or_calling_amount == 0


def short_big_blind(hand, step, theirs):
    """R5: the big blind is all-in for less; PokerKit lets others call that, the rule asks for a whole big blind."""
    i, highest = step['place'], max(hand.street)
    if not hand.preflop or hand.left[hand.bb] or hand.street[hand.bb] >= hand.big or highest >= hand.big:
        return False
    whole = min(hand.big - hand.street[i], hand.left[i])
    return step['call'] == whole and theirs[0] == min(max(highest - hand.street[i], 0), hand.left[i])


def short_first_raise(hand, step, theirs):
    """R3: all-ins of less than the big blind are the only bets or raises of the street. PokerKit forgets that a full
    raise is at least a big blind, and lets who acted already raise again."""
    i = step['place']
    facing = hand.to_match() - hand.street[i]
    reopened = facing >= hand.full_raise
    ours = (step['min_to'], step['max_to'])
    return (
        hand.acted[i] and not reopened and hand.full_raise == hand.big
        and step['call'] == theirs[0] and ours == (None, None) and theirs[1] is not None
    )


def cumulative_raises(hand, step, theirs):
    """R3: several short all-ins add up to a full raise for who acted before them. PokerKit forgets them once they do,
    and then counts from the next one."""
    i, highest = step['place'], hand.to_match()
    most = hand.left[i] + hand.street[i]
    ours = (step['min_to'], step['max_to'])
    return (
        hand.acted[i] and highest - hand.street[i] >= hand.full_raise
        and step['call'] == theirs[0] and theirs[1:] == (None, None)
        and ours[0] == min(highest + hand.full_raise, most)
    )


def covered_opponents(hand, step, theirs):
    """R15 forbids a raise only if all others are all-in. PokerKit forbids it also if they merely have too few chips to
    call it in full."""
    i, highest = step['place'], hand.to_match()
    others = [j for j in range(hand.count) if j != i and not hand.folded[j]]
    return (
        step['call'] == theirs[0] and theirs[1:] == (None, None) and step['min_to'] is not None
        and any(hand.left[j] > 0 for j in others)
        and all(hand.left[j] + hand.street[j] <= highest for j in others)
    )


def equal_blinds_heads_up(hand, step):
    """R1: the button acts first. PokerKit asks the big blind first if the small blind is as big."""
    return hand.count == 2 and hand.preflop and hand.street[0] == hand.street[1]


ENDS = {
    'R8 odd chips': 'odd',
    'R8 the same players have high and low': 'odd, both',
    'R23 half of a side pot without a low': 'odd, both, no low',
}
EQUAL_BLINDS = 'R1 equal blinds heads-up'
NEEDLESS_CHECK = 'R15 asks for a needless check'
KNOWN = {
    'R5 short big blind': short_big_blind,
    'R3 short all-in as the first raise': short_first_raise,
    'R15 raise over opponents with fewer chips': covered_opponents,
    'R3 short all-ins that add up': cumulative_raises,
}


def explain(hand, step, theirs, state):
    """The difference that a rule explains."""
    for name, explains in KNOWN_OF_BETTING[hand.code[0]].items():
        if explains(hand, step, theirs, state):
            return name
    for name, explains in KNOWN.items():
        if explains(hand, step, theirs):
            return name
    ours = (step['call'], step['min_to'], step['max_to'])
    raise Mismatch(f"seat {step['place']}: PokerKit {theirs}, the engine {ours}")


def compare_end(hand, state, differences):
    if state.stacks == hand.line['end']:
        return
    for name, how in ENDS.items():
        if state.stacks == hand.settled_as_pokerkit(state, how):
            differences.add(name)
            return
    raise Mismatch(f"end stacks: PokerKit {state.stacks}, the engine {hand.line['end']}")


class Oracle:
    """PokerKit beside the engine, for as long as it can follow."""

    def __init__(self, hand):
        self.hand, self.line = hand, hand.line
        self.state = create(hand)
        self.board = deal(self.state, self.line, 0)
        self.follows = True
        self.differences = set()

    def settle_needless_checks(self):
        if self.follows and needless_check(self.hand, self.state):
            self.differences.add(NEEDLESS_CHECK)
            self.state.check_or_call()
            self.board = deal(self.state, self.line, self.board)

    def decide(self, step):
        state = self.state
        if state.actor_index != step['place']:
            if equal_blinds_heads_up(self.hand, step):
                self.differences.add(EQUAL_BLINDS)
                self.follows = False
                return
            raise Mismatch(f"PokerKit asks {state.actor_index}, the engine {step['place']}")
        theirs = (
            state.checking_or_calling_amount,
            state.min_completion_betting_or_raising_to_amount,
            state.max_completion_betting_or_raising_to_amount,
        )
        action = step['action'].split()
        if theirs != (step['call'], step['min_to'], step['max_to']):
            name = explain(self.hand, step, theirs, state)
            self.differences.add(name)
            if name == 'R5 short big blind' and action[0] != 'f':
                self.follows = False
            if action[0] == 'cbr' and (theirs[1] is None or not theirs[1] <= int(action[1]) <= theirs[2]):
                self.follows = False
        if not self.follows:
            return
        if action[0] == 'f':
            state.fold()
        elif action[0] == 'cc':
            state.check_or_call()
        else:
            state.complete_bet_or_raise_to(int(action[1]))

    def deal(self):
        if self.follows:
            self.board = deal(self.state, self.line, self.board)

    def finish(self):
        if not self.follows:
            return
        if self.state.status:
            raise Mismatch(f'PokerKit goes on with {self.state.actor_index}')
        compare_end(self.hand, self.state, self.differences)
        self.round_trip()

    def round_trip(self):
        """PokerKit replays the exported hand to the same stacks, if it knows its game."""
        if self.hand.code not in STANDARD:
            return
        history = HandHistory.loads(self.line['phh'])
        if self.line['limits']:
            # Its own cap counts the raises in another way (R4).
            if history.finishing_stacks != self.line['end']:
                raise Mismatch('the export does not end with the hand')
            return
        state = None
        for state in history:
            pass
        if state.status or history.finishing_stacks != self.line['end']:
            raise Mismatch('the export does not end with the hand')
        compare_end(self.hand, state, self.differences)


def replay(line):
    """Compares a hand; returns the differences that rules explain, and whether PokerKit followed to the end."""
    hand = Hand(line)
    oracle = Oracle(hand)
    steps = line['steps']
    if not steps:
        oracle.settle_needless_checks()
        hand.next_street()
    for n, step in enumerate(steps):
        ours = (step['call'], step['min_to'], step['max_to'])
        if ours != hand.legal(step['place']):
            raise Mismatch(f"seat {step['place']}: the rules {hand.legal(step['place'])}, the engine {ours}")
        if oracle.follows:
            oracle.decide(step)
        hand.act(step)
        oracle.deal()
        if hand.streets_end(steps, n + 1):
            oracle.settle_needless_checks()
            hand.next_street()
    if hand.settled() != line['end']:
        raise Mismatch(f"settle.py {hand.settled()}, the engine {line['end']}")
    oracle.finish()
    return oracle.differences, oracle.follows


def main():
    warnings.simplefilter('ignore')
    counts, known, failures = Counter(), Counter(), 0
    for text in sys.stdin:
        line = json.loads(text)
        counts['hands'] += 1
        counts['decisions'] += len(line['steps'])
        try:
            differences, followed = replay(line)
            known.update(differences)
            counts['same'] += not differences
            counts['followed'] += followed
        except (Mismatch, ValueError, AssertionError) as error:
            failures += 1
            if failures <= FAILURES_SHOWN:
                print(f"hand {line['hand']}: {type(error).__name__}: {error}\n{text}")
    for name, count in sorted(known.items()):
        print(f'{count} hands: PokerKit differs by {name}')
    print(
        f"{counts['hands']} hands, {counts['decisions']} decisions: {counts['same']} hands the same in PokerKit,"
        f" {counts['followed']} followed to the end and their exports replayed to the same,"
        f" {counts['hands'] - counts['same'] - failures} with named differences, {failures} different"
    )
    return 1 if failures or not counts['hands'] else 0


FAILURES_SHOWN = 10

if __name__ == '__main__':
    sys.exit(main())
