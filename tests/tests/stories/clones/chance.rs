//! Days that a seed makes up, for phones that are copied and set back all the time.

use std::path::PathBuf;

use pocketbook_records::ids::RecordId;
use pocketbook_tests::world::{Fault, On, Phone, World};
use serde_json::json;

use super::{all_sync, knocks, one, visits};

/// Numbers that a seed makes up.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).expect("31 bits") % most
    }
}

/// One day, and what was done in it.
struct Day {
    dice: Dice,
    flat: RecordId,
    phones: Vec<Phone>,
    /// Each with whose it is.
    backups: Vec<(usize, PathBuf)>,
    visits: usize,
    knocks: usize,
}

impl Day {
    async fn goes_on(&mut self, step: usize) {
        let n = self.dice.below(self.phones.len());
        let phone = &self.phones[n];
        match self.dice.below(12) {
            0..=2 => {
                phone.knocks(self.flat);
                self.knocks += 1;
            }
            3..=4 => {
                phone.visits(self.flat, &format!("第{step}步"));
                self.visits += 1;
            }
            5..=7 => drop(phone.sync().await),
            8 => {
                let faults = [Fault::LoseRequest, Fault::LoseAnswer, Fault::CutAnswer(30)];
                let on = [On::Enrol, On::Sync][self.dice.below(2)];
                phone.line().next(on, faults[self.dice.below(3)]);
                drop(phone.sync().await);
                phone.is_killed();
            }
            9 if self.phones.len() < 4 => {
                let copy = phone.is_copied_onto(&format!("copy-{step}"));
                self.phones.push(copy);
            }
            10 => {
                let backup = phone.is_backed_up(&format!("backup-{step}"));
                self.backups.push((n, backup));
            }
            _ => self.sets_back(n),
        }
    }

    fn sets_back(&self, n: usize) {
        let phone = &self.phones[n];
        let own = self.backups.iter().rev().find(|(whose, _)| *whose == n);
        // What was not handed in would go with the phone that had it.
        if phone.status().waiting == 0
            && let Some((_, backup)) = own
        {
            phone.is_set_back_to(backup);
        }
    }
}

async fn ends_in_step(world: &World, phones: &[&Phone]) {
    for phone in phones {
        phone.line().is_good();
    }
    for _ in 0..3 {
        for phone in phones {
            drop(phone.sync().await);
            world.hours_pass(1);
        }
    }
    all_sync(phones).await;
    world.check(phones).await;
}

#[tokio::test]
async fn however_often_a_phone_is_copied_and_set_back_all_work_is_counted_once() {
    for seed in 850..858 {
        let (world, wang) = one(seed).await;
        let mut day = Day {
            dice: Dice(seed),
            flat: wang.flat(0),
            phones: vec![wang],
            backups: Vec::new(),
            visits: 1,
            knocks: 1,
        };
        for step in 0..60 {
            day.goes_on(step).await;
            world.hours_pass(1);
        }

        ends_in_step(&world, &day.phones.iter().collect::<Vec<_>>()).await;

        assert_eq!(visits(&world), day.visits, "seed {seed}");
        assert_eq!(knocks(&world, day.flat), json!(day.knocks), "seed {seed}");
    }
}
