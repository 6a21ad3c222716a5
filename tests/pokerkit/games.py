"""PokerKit's games by the codes of the engine, also those for which PokerKit has the parts but no class."""

from dataclasses import replace

from pokerkit import (
    BettingStructure,
    FixedLimitOmahaHoldemHighLowSplitEightOrBetter,
    FixedLimitTexasHoldem,
    NoLimitShortDeckHoldem,
    NoLimitTexasHoldem,
    OmahaEightOrBetterLowHand,
    OmahaHoldemHand,
    PotLimitOmahaHoldem,
    ShortDeckHoldemHand,
    StandardHighHand,
)

import ranking


class PotLimitTexasHoldem(PotLimitOmahaHoldem):
    hand_types = (StandardHighHand,)
    hole_dealing_count = 2


class PotLimitOmaha5(PotLimitOmahaHoldem):
    hole_dealing_count = 5


class PotLimitOmaha6(PotLimitOmahaHoldem):
    hole_dealing_count = 6


class PotLimitOmahaHiLo(PotLimitOmahaHoldem):
    hand_types = (OmahaHoldemHand, OmahaEightOrBetterLowHand)


class PotLimitOmaha5HiLo(PotLimitOmahaHiLo):
    hole_dealing_count = 5


class PotLimitOmaha6HiLo(PotLimitOmahaHiLo):
    hole_dealing_count = 6


class FixedLimitOmahaHiLo(FixedLimitOmahaHoldemHighLowSplitEightOrBetter):
    """PokerKit 0.7.7 made it a pot-limit game by mistake."""

    betting_structure = BettingStructure.FIXED_LIMIT


GAMES = {
    'NT': NoLimitTexasHoldem,
    'NS': NoLimitShortDeckHoldem,
    'FT': FixedLimitTexasHoldem,
    'PT': PotLimitTexasHoldem,
    'PO': PotLimitOmahaHoldem,
    'PO5': PotLimitOmaha5,
    'PO6': PotLimitOmaha6,
    'PO/8': PotLimitOmahaHiLo,
    'PO5/8': PotLimitOmaha5HiLo,
    'PO6/8': PotLimitOmaha6HiLo,
    'FO/8': FixedLimitOmahaHiLo,
}
"""The codes that PHH has: only their exports can be read by PokerKit."""
STANDARD = {'NT', 'NS', 'FT', 'PO', 'FO/8'}

for game in GAMES.values():
    ranking.install(game.hand_types)


def ranks(code):
    """How good a hand is for high and, where it counts, for low: functions of hole cards and board."""
    high, *low = GAMES[code].hand_types
    return high.from_game, low[0].from_game_or_none if low else None


def create_state(code, automations, trimming, antes, blinds, bets, limits, stacks, mode):
    """A state of the game. `bets` are the smallest bet, or the small and the big bet of fixed limit.

    PokerKit does not count the big blind among the wagers of a street, so after the flop the cap is one more.
    """
    game = GAMES[code](automations, trimming, antes, blinds, *bets, mode=mode)
    if limits:
        uncapped = len(stacks) == 2 and limits['cap_off'] != 'never'
        caps = [limits['raises_max'] + (n > 0) for n in range(len(game.streets))]
        game.streets = tuple(
            replace(street, max_completion_betting_or_raising_count=None if uncapped else cap)
            for street, cap in zip(game.streets, caps)
        )
    return game(tuple(stacks), len(stacks))
