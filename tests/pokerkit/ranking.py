"""PokerKit's ranking of hands, quicker: most of the time of a comparison went there.

`Hand.from_game` makes an object of every five cards that a player could choose, looks each up several times, and is asked
for the same cards again and again in one hand. Here PokerKit's own table is asked once for each choice, in PokerKit's
order, and answers are kept. It is the same answer: one of `SAMPLED` is worked out by PokerKit's own code too.
"""

from collections import OrderedDict
from itertools import combinations
from math import prod

from pokerkit import Card, Rank
from pokerkit.hands import CombinationHand, HoleBoardCombinationHand

SAMPLED = 500
"""One answer of so many is compared with that of PokerKit's own code."""
KEPT = 4096
"""Answers that are kept: many more than one hand asks for."""

asked = 0
kept = OrderedDict()


def install(hand_types):
    """Makes these types of hands rank by `choose`."""
    for hand_type in hand_types:
        if 'from_game' not in vars(hand_type):
            hand_type.from_game = classmethod(from_game)


def from_game(hand_type, hole_cards, board_cards=()):
    """As PokerKit's `from_game`."""
    hole, board = Card.clean(hole_cards), Card.clean(board_cards)
    key = hand_type, hole, board
    if key in kept:
        best = kept[key]
        kept.move_to_end(key)
    else:
        best = kept[key] = choose(hand_type, hole, board)
        if len(kept) > KEPT:
            kept.popitem(last=False)
        compare(hand_type, hole, board, best)
    if best is None:
        raise ValueError(f'no {hand_type.__qualname__} of {hole} and {board}')
    return best


def choose(hand_type, hole, board):
    """The best five of these cards; nothing if no five are a hand of this type."""
    best, rank = None, None
    entries = hand_type.lookup._Lookup__entries
    for five, key in choices(hand_type, hole, board):
        entry = entries.get(key)
        if entry is None:
            continue
        index = -entry.index if hand_type.low else entry.index
        if rank is None or index > rank:
            best, rank = five, index
    return None if best is None else hand_type(best)


def choices(hand_type, hole, board):
    """Every five cards that count in this game, with their place in PokerKit's table."""
    if issubclass(hand_type, HoleBoardCombinationHand):
        boards = [(cards, *place(cards)) for cards in combinations(board, hand_type.board_card_count)]
        for mine in combinations(hole, hand_type.hole_card_count):
            product, suit = place(mine)
            for cards, other, same in boards:
                yield mine + cards, (product * other, suit is not None and suit == same)
    else:
        for five in combinations(hole + board, hand_type.card_count):
            product, suit = place(five)
            yield five, (product, suit is not None)


def place(cards):
    """The product of the primes of the ranks, and the suit if it is one."""
    suit = cards[0].suit
    return prod(PRIMES[card.rank] for card in cards), suit if all(card.suit == suit for card in cards) else None


def compare(hand_type, hole, board, best):
    """Every now and then, with PokerKit's own code."""
    global asked
    asked += 1
    if asked % SAMPLED != 1:
        return
    own = HoleBoardCombinationHand if issubclass(hand_type, HoleBoardCombinationHand) else CombinationHand
    try:
        theirs = own.from_game.__func__(hand_type, hole, board)
    except ValueError:
        theirs = None
    assert best == theirs and (best is None or best.cards == theirs.cards), (hand_type, hole, board, best, theirs)


PRIMES = dict(zip(Rank, (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)))
"""As in `pokerkit.lookups`; the comparison would tell."""
