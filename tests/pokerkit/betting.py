"""How much may be bet by the rules: fixed limit (R4) and pot limit (R14), and where PokerKit differs there."""


class NoLimit:
    """All one has (R2, R3)."""

    def __init__(self, hand):
        self.hand = hand

    def reopened(self, facing):
        return facing >= self.hand.full_raise

    def bounds(self, i):
        hand, most = self.hand, self.hand.left[i] + self.hand.street[i]
        return min(hand.to_match() + hand.full_raise, most), most

    def raised(self, to):
        pass

    def next_street(self):
        pass


class PotLimit(NoLimit):
    """What is in the pot after a call; before the flop as if both blinds were whole, without the ante for all (R14)."""

    def pot(self):
        hand = self.hand
        return sum(map(sum, (hand.antes, hand.dead, hand.bets, hand.street)))

    def corrections(self):
        """What PokerKit does not do: the blinds are counted whole, and the ante for all not at all."""
        hand = self.hand
        if not hand.preflop:
            return 0
        uncounted = 0 if hand.line['count_ante'] or not hand.line['ante_big_blind'] else hand.dead[hand.bb]
        return hand.missing - uncounted

    def bounds(self, i):
        hand = self.hand
        least, all_in = super().bounds(i)
        highest = hand.to_match()
        return least, min(2 * highest - hand.street[i] + self.pot() + self.corrections(), all_in)


class FixedLimit(NoLimit):
    """One amount, and only so many times; half a bet is as good as a whole one (R4)."""

    def __init__(self, hand):
        super().__init__(hand)
        self.limits = hand.line['limits']
        self.size = self.full = hand.big
        self.wagers, self.began, self.street = 1, hand.count, 0

    def reopened(self, facing):
        return 2 * facing >= self.size

    def uncapped(self):
        return self.began == 2 and self.limits['cap_off'] == 'street' or (
            self.hand.count == 2 and self.limits['cap_off'] == 'hand')

    def bounds(self, i):
        if not self.uncapped() and self.wagers > self.limits['raises_max']:
            return None, None
        to = min(self.full + self.size, self.hand.left[i] + self.hand.street[i])
        return to, to

    def raised(self, to):
        if 2 * (to - self.full) >= self.size:
            self.full = to
            self.wagers += 1

    def next_street(self):
        self.street += 1
        self.size = self.hand.big if self.street == 1 else self.limits['big_bet']
        self.full, self.wagers = 0, 0
        self.began = self.hand.folded.count(False)


def betting(hand):
    return {'N': NoLimit, 'P': PotLimit, 'F': FixedLimit}[hand.line['game'][0]](hand)


def limit_cap(hand, step, theirs, state):
    """R4: PokerKit counts all-ins of less than half a bet too, and has a cap where two players are left."""
    return (
        theirs[1:] == (None, None) and step['min_to'] is not None
        and state.completion_betting_or_raising_count == state.street.max_completion_betting_or_raising_count
        and (hand.betting.uncapped() or state.completion_betting_or_raising_count > hand.betting.wagers - hand.preflop)
    )


def limit_completion(hand, step, theirs, state):
    """R4: after an all-in of less than half a bet one completes the bet. PokerKit raises over the all-in."""
    i, highest = step['place'], max(hand.street)
    most = hand.left[i] + hand.street[i]
    to = min(highest + hand.betting.size, most)
    return (
        hand.betting.full < highest and theirs == (step['call'], to, to)
        and step['min_to'] == min(hand.betting.full + hand.betting.size, most)
    )


def limit_half_bet(hand, step, theirs, state):
    """R4: an all-in for half a bet reopens the betting. In PokerKit only a whole one does."""
    facing = hand.to_match() - hand.street[step['place']]
    short = sum(state.consecutive_short_all_in_amounts)
    wagered = state.completion_betting_or_raising_amount
    return (
        hand.acted[step['place']] and 2 * facing >= hand.betting.size and step['min_to'] is not None
        and theirs[1:] == (None, None) and (0 < short < wagered or theirs[0] < wagered)
    )


def limit_short_all_in(hand, step, theirs, state):
    """R4: an all-in of less than half a bet does not reopen the betting, also if it is the first bet of the street. In
    PokerKit that is the measure of the raises after it."""
    facing = hand.to_match() - hand.street[step['place']]
    return (
        hand.acted[step['place']] and 0 < 2 * facing < hand.betting.size
        and step['min_to'] is None and theirs[1] is not None and theirs[0] == step['call']
    )


def pot_before_the_flop(hand, step, theirs, state):
    """R14: before the flop blinds count whole, and the ante for all does not. PokerKit counts what was paid."""
    i, highest = step['place'], max(hand.street)
    pot = 2 * highest - hand.street[i] + hand.betting.pot()
    return (
        hand.preflop and hand.betting.corrections() != 0
        and theirs[:2] == (step['call'], step['min_to'])
        and theirs[2] == min(max(theirs[1], pot), hand.left[i] + hand.street[i])
    )


KNOWN = {
    'N': {},
    'P': {'R14 pot before the flop': pot_before_the_flop},
    'F': {
        'R4 cap': limit_cap,
        'R4 completion of a short all-in': limit_completion,
        'R4 half a bet reopens': limit_half_bet,
        'R4 short all-in as the first bet': limit_short_all_in,
    },
}
