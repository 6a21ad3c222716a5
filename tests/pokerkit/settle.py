"""What a hand pays, worked out from the rules alone: neither engine's pots are used, only PokerKit's hand ranking."""

from pokerkit import StandardHighHand


def settle(antes, dead, bets, folded, holes, board, odd_to_first=False):
    """What each player gets out of the pots. `bets` are live chips, `dead` goes to the main pot whole (R7, R12).

    Odd chips go one each to the winners in order from the left of the button (R8), or all of a pot to the first.
    """
    paid = [ante + bet for ante, bet in zip(antes, bets)]
    live = [i for i in range(len(paid)) if not folded[i]]
    won = [0] * len(paid)
    if len(live) == 1:
        won[live[0]] = sum(paid) + sum(dead)
        return won
    ranks = {i: StandardHighHand.from_game(holes[i], board) for i in live}
    layers = sorted({paid[i] for i in live})
    floor, extra = -1, sum(dead)
    for layer in layers:
        top = max(paid) if layer == layers[-1] else layer
        pot = extra + sum(max(min(chips, top) - max(floor, 0), 0) for chips in paid)
        extra = 0
        contenders = [i for i in live if paid[i] > floor]
        best = max(ranks[i] for i in contenders)
        winners = [i for i in contenders if ranks[i] == best]
        share, odd = divmod(pot, len(winners))
        for n, i in enumerate(winners):
            won[i] += share + ((odd if n == 0 else 0) if odd_to_first else n < odd)
        floor = layer
    return won


def uncalled(bets):
    """Gives back what nobody called on this street (R6)."""
    ordered = sorted(bets)
    return [max(bet - ordered[-2], 0) for bet in bets]
