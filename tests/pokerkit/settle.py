"""What a hand pays, worked out from the rules alone: neither engine's pots are used, only PokerKit's hand ranking."""

from games import ranks


def settle(code, antes, dead, bets, folded, holes, board, as_pokerkit=''):
    """What each player gets out of the pots. `bets` are live chips, `dead` goes to the main pot whole (R7, R12).

    Odd chips go one each to the winners in order from the left of the button; a pot with a low has two halves, the odd chip
    in that of high, unless the same players have both (R8). `as_pokerkit` names what PokerKit does differently: all odd
    chips of a pot to the first of its winners (`odd`), halving a pot also when the same players have both (`both`), and
    when nobody who may win it has a low but somebody else does: all who may win it share that half (`no low`).
    """
    paid = [ante + bet for ante, bet in zip(antes, bets)]
    live = [i for i in range(len(paid)) if not folded[i]]
    won = [0] * len(paid)
    if len(live) == 1:
        won[live[0]] = sum(paid) + sum(dead)
        return won
    high, low = ranks(code)
    highs = {i: high(holes[i], board) for i in live}
    lows = {i: low(holes[i], board) for i in live} if low else {}
    lows = {i: rank for i, rank in lows.items() if rank is not None}

    def share(chips, winners):
        each, odd = divmod(chips, len(winners))
        for n, i in enumerate(winners):
            won[i] += each + ((odd if n == 0 else 0) if 'odd' in as_pokerkit else n < odd)

    layers = sorted({paid[i] for i in live})
    floor, extra = -1, sum(dead)
    for layer in layers:
        top = max(paid) if layer == layers[-1] else layer
        pot = extra + sum(max(min(chips, top) - max(floor, 0), 0) for chips in paid)
        extra = 0
        contenders = [i for i in live if paid[i] > floor]
        to_high, to_low = best(highs, contenders), best(lows, contenders)
        if not to_low and lows and 'no low' in as_pokerkit:
            to_low = contenders
        if not to_low or to_low == to_high and 'both' not in as_pokerkit:
            share(pot, to_high)
        else:
            share(pot - pot // 2, to_high)
            share(pot // 2, to_low)
        floor = layer
    return won


def best(rank, contenders):
    """Those of the contenders who have the best rank; nobody if none of them has any."""
    ranked = [i for i in contenders if i in rank]
    most = max((rank[i] for i in ranked), default=None)
    return [i for i in ranked if rank[i] == most]


def uncalled(bets):
    """Gives back what nobody called on this street (R6)."""
    ordered = sorted(bets)
    return [max(bet - ordered[-2], 0) for bet in bets]
