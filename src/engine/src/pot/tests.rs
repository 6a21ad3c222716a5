use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

fn live(live: u64) -> Stake {
    Stake {
        live,
        ..Stake::default()
    }
}

fn folded(live: u64) -> Stake {
    Stake {
        live,
        folded: true,
        ..Stake::default()
    }
}

#[test]
fn uncalled_bets_go_back() {
    let check =
        |street: &[u64], back| assert_eq!(uncalled(street.iter().copied()), back, "{street:?}");
    check(&[], None);
    check(&[0, 0, 0], None);
    check(&[100, 0], Some((0, 100)));
    check(&[100, 100, 30], None);
    check(&[50, 100, 300], Some((2, 200)));
    // R5: the big blind is all-in 30 of 100 and all fold to the small blind who posted 50.
    check(&[50, 30, 0], Some((0, 20)));
    // R7: CO's live 100 counts, his dead 50 does not.
    check(&[50, 100, 100, 100, 0], None);
}

#[test]
fn pots_are_layers_of_live_stakes() {
    let check = |stakes: &[Stake], expected: &[(u64, &[usize])]| {
        let expected: Vec<Pot> = expected
            .iter()
            .map(|(amount, who)| Pot {
                amount: *amount,
                contenders: who.to_vec(),
            })
            .collect();
        assert_eq!(pots(stakes), expected, "{stakes:?}");
    };
    check(&[], &[]);
    check(&[folded(5), folded(5)], &[]);
    check(&[live(10), live(10)], &[(20, &[0, 1])]);
    check(
        &[live(10), live(30), live(60), live(60)],
        &[(40, &[0, 1, 2, 3]), (60, &[1, 2, 3]), (60, &[2, 3])],
    );
    // R7, the hand that rs_poker 5.0.0 gets wrong: A 10 all-in, B and C 100 more, C folds the flop.
    check(
        &[live(10), live(100), folded(100)],
        &[(30, &[0, 1]), (180, &[1])],
    );
    // R7: SB folds 50, BB 100, UTG 100, CO 100 live and 50 dead.
    let poster = Stake {
        dead: 50,
        ..live(100)
    };
    check(
        &[folded(50), live(100), live(100), poster, folded(0)],
        &[(400, &[1, 2, 3])],
    );
    // Folded chips fill layers up to their amount.
    check(
        &[folded(20), live(10), live(50), live(50)],
        &[(40, &[1, 2, 3]), (90, &[2, 3])],
    );
    // Chips above every live player have no contender there.
    check(
        &[folded(80), live(10), live(50)],
        &[(30, &[1, 2]), (110, &[2])],
    );
}

#[test]
fn antes_are_matched_and_dead_money_is_not() {
    let ante = |ante, live| Stake {
        ante,
        ..self::live(live)
    };
    let check = |stakes: &[Stake], expected: &[(u64, &[usize])]| {
        let got: Vec<(u64, Vec<usize>)> = pots(stakes)
            .into_iter()
            .map(|p| (p.amount, p.contenders))
            .collect();
        let expected: Vec<(u64, Vec<usize>)> =
            expected.iter().map(|(a, who)| (*a, who.to_vec())).collect();
        assert_eq!(got, expected, "{stakes:?}");
    };
    // R12: all-in for 3 of an ante of 5.
    check(
        &[ante(3, 0), ante(5, 10), ante(5, 10)],
        &[(9, &[0, 1, 2]), (24, &[1, 2])],
    );
    check(
        &[ante(5, 0), ante(5, 10), ante(5, 10)],
        &[(15, &[0, 1, 2]), (20, &[1, 2])],
    );
    // A big-blind ante goes to the main pot whole, also for who is all-in for less than it.
    let big_blind = Stake {
        dead: 100,
        ..live(100)
    };
    check(
        &[live(30), big_blind, live(100)],
        &[(190, &[0, 1, 2]), (140, &[1, 2])],
    );
    // All-in for a dead blind alone: he plays for the dead money.
    let dead_only = Stake {
        dead: 20,
        ..Stake::default()
    };
    check(
        &[dead_only, live(100), live(100)],
        &[(20, &[0, 1, 2]), (200, &[1, 2])],
    );
}

#[test]
fn odd_chips_go_left_of_the_button() {
    let check = |amount, winners: &[usize], shares: &[(usize, u64)]| {
        assert_eq!(split(amount, winners), shares, "{amount} among {winners:?}");
    };
    check(100, &[3], &[(3, 100)]);
    check(101, &[0, 1], &[(0, 51), (1, 50)]);
    check(101, &[4, 2], &[(4, 50), (2, 51)]);
    check(103, &[5, 1, 3, 0], &[(5, 25), (1, 26), (3, 26), (0, 26)]);
    check(1, &[2, 1], &[(2, 0), (1, 1)]);
    check(100, &[], &[]);
}

#[test]
fn rake_is_a_capped_percentage() {
    let check = |pots: &[u64], per_10_000, cap, expected: &[u64]| {
        assert_eq!(
            rake(pots, per_10_000, cap),
            expected,
            "{pots:?} at {per_10_000} up to {cap:?}"
        );
    };
    // handhq 3017249534 heads-up, 394.00, and 3017246606 five-handed, 87.50.
    let caps = [75, 100, 200, 300];
    check(&[39_400], 500, rake_cap(&caps, 2), &[75]);
    check(&[8_750], 500, rake_cap(&caps, 5), &[300]);
    check(&[8_750], 500, rake_cap(&caps, 9), &[300]);
    // 5 % of 10, 30, 50 and 51 is 0.5, 1.5, 2.5 and 2.55.
    check(&[10], 500, None, &[0]);
    check(&[30], 500, None, &[2]);
    check(&[50], 500, None, &[2]);
    check(&[51], 500, None, &[3]);
    check(&[100, 100, 100], 100, None, &[1, 1, 1]);
    check(&[100, 50, 50], 500, Some(3), &[1, 1, 1]);
    check(&[], 500, None, &[]);
    check(&[77], 0, None, &[0]);
    check(&[77], 20_000, None, &[77]);
    check(&[77], 500, Some(0), &[0]);
}

#[test]
fn caps_go_by_players_dealt() {
    let check = |caps: &[u64], players, cap| assert_eq!(rake_cap(caps, players), cap);
    check(&[], 6, None);
    check(&[75], 2, Some(75));
    check(&[75], 9, Some(75));
    check(&[75, 100, 300], 3, Some(100));
    check(&[75, 100, 300], 4, Some(300));
    check(&[75, 100, 300], 10, Some(300));
}

fn stakes() -> impl Strategy<Value = Vec<Stake>> {
    let stake = (0u64..4, 0u64..6, 0u64..3, any::<bool>());
    prop::collection::vec(stake, 1..10).prop_map(|all| {
        // Equal antes of 3; who paid less has nothing else in.
        let stake = |(ante, live, dead, folded)| {
            let rest = u64::from(ante == 3);
            Stake {
                ante,
                live: live * 10 * rest,
                dead: dead * rest,
                folded,
            }
        };
        all.into_iter().map(stake).collect()
    })
}

proptest! {
    #[test]
    fn pots_hold_all_stakes(stakes in stakes()) {
        let pots = pots(&stakes);
        if stakes.iter().any(|s| !s.folded) {
            let sum: u64 = stakes.iter().map(|s| s.ante + s.live + s.dead).sum();
            prop_assert_eq!(pots.iter().map(|p| p.amount).sum::<u64>(), sum);
        }
        for pot in &pots {
            prop_assert!(pot.amount > 0 && !pot.contenders.is_empty());
            prop_assert!(pot.contenders.iter().all(|place| !stakes[*place].folded));
        }
        for pair in pots.windows(2) {
            prop_assert!(pair[1].contenders.len() < pair[0].contenders.len());
            prop_assert!(pair[1].contenders.iter().all(|place| pair[0].contenders.contains(place)));
        }
    }

    /// A player wins from each other at most what he put in himself, dead money aside.
    #[test]
    fn nobody_wins_more_than_he_matched(stakes in stakes()) {
        let alive: Vec<&Stake> = stakes.iter().filter(|s| !s.folded).collect();
        let highest = alive.iter().map(|s| s.matched()).max().unwrap_or(0);
        let dead: u64 = stakes.iter().map(|s| s.dead).sum();
        for (place, stake) in stakes.iter().enumerate() {
            let mine = pots(&stakes).iter().filter(|p| p.contenders.contains(&place)).map(|p| p.amount).sum::<u64>();
            let limit: u64 = stakes.iter().map(|s| s.matched().min(stake.matched())).sum();
            if stake.folded {
                prop_assert_eq!(mine, 0);
            } else if stake.matched() < highest {
                prop_assert!(mine == limit + dead);
            }
        }
    }

    #[test]
    fn uncalled_leaves_a_tie(street in prop::collection::vec(0u64..5, 2..10)) {
        let mut street = street;
        if let Some((place, back)) = uncalled(street.iter().copied()) {
            street[place] -= back;
        }
        prop_assert_eq!(uncalled(street.iter().copied()), None);
    }

    #[test]
    fn shares_add_up_and_differ_by_one(amount in any::<u64>(), winners in 1usize..10) {
        let places: Vec<usize> = (0..winners).collect();
        let shares: Vec<u64> = split(amount, &places).into_iter().map(|(_, share)| share).collect();
        prop_assert_eq!(shares.iter().sum::<u64>(), amount);
        prop_assert!(shares.windows(2).all(|pair| pair[0] >= pair[1]));
        prop_assert!(shares[0] - shares[winners - 1] <= 1);
    }

    #[test]
    fn rake_comes_out_of_the_pots(
        pots in prop::collection::vec(0u64..=u64::MAX / 16, 0..10),
        rate in 0u32..=10_000,
        cap in prop::option::of(0u64..1_000),
    ) {
        let parts = rake(&pots, rate, cap);
        prop_assert_eq!(parts.len(), pots.len());
        prop_assert!(parts.iter().zip(&pots).all(|(part, pot)| part <= pot));
        let whole: u128 = pots.iter().copied().map(u128::from).sum();
        let taken: u128 = parts.iter().copied().map(u128::from).sum();
        let exact = whole * u128::from(rate);
        if cap.is_some_and(|cap| taken == u128::from(cap)) {
            prop_assert!(taken * 10_000 <= exact + 5_000);
        } else {
            prop_assert!((taken * 10_000).abs_diff(exact) <= 5_000);
        }
    }

    #[test]
    fn a_stake_is_moved_not_made(stakes in stakes(), rate in 0u32..=10_000) {
        let pots = pots(&stakes);
        let amounts: Vec<u64> = pots.iter().map(|p| p.amount).collect();
        let rakes = rake(&amounts, rate, None);
        let mut paid = vec![0; stakes.len()];
        for (pot, rake) in pots.iter().zip(&rakes) {
            for (place, share) in split(pot.amount - rake, &pot.contenders) {
                paid[place] += share;
            }
        }
        prop_assert_eq!(paid.iter().sum::<u64>() + rakes.iter().sum::<u64>(), amounts.iter().sum::<u64>());
    }
}
