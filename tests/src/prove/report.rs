//! The report: what was aimed at beside what was found.

use std::collections::BTreeMap;

use comfy_table::Table;
use pocketbook_tests::proofs;

/// What the steps told.
#[derive(Default)]
pub(crate) struct Figures {
    sums: BTreeMap<String, u64>,
    /// The steps that failed.
    pub(crate) failed: Vec<&'static str>,
}

/// A planted bug that was tried.
pub(crate) struct Caught {
    /// Whether seeds must find it.
    pub(crate) by_seeds: bool,
    /// After how many seeds it was noticed, if it was.
    pub(crate) noticed: Option<u64>,
}

impl Figures {
    /// Takes down the figures in what a test program printed.
    pub(crate) fn take(&mut self, text: &str) {
        for line in text.lines() {
            // A test's name and verdict may stand before it.
            let Some((_, told)) = line.split_once(proofs::WORD) else {
                continue;
            };
            let mut words = told.split_whitespace();
            let count = |word: &str| word.parse::<u64>().ok();
            if let (Some(what), Some(count)) = (words.next(), words.next().and_then(count)) {
                *self.sums.entry(what.to_owned()).or_default() += count;
            }
        }
    }

    fn of(&self, what: &str) -> u64 {
        self.sums.get(what).copied().unwrap_or(0)
    }
}

/// One line of the scoreboard.
struct Line {
    number: &'static str,
    what: &'static str,
    aim: &'static str,
    found: String,
}

/// Lays the report out.
pub(crate) fn table(figures: &Figures, caught: &[Caught], commit: &str) -> String {
    let of = |what| figures.of(what);
    let per_second = (of("device-seconds") * 1000).checked_div(of("simulation-ms"));
    let is_whole = |step: &str, figure: String| match figures.failed.contains(&step) {
        true => format!("FAILED ({figure})"),
        false => figure,
    };
    let noticed = caught.iter().filter(|bug| bug.noticed.is_some()).count();
    let mut seeds: Vec<u64> = caught
        .iter()
        .filter(|bug| bug.by_seeds)
        .filter_map(|bug| bug.noticed)
        .collect();
    seeds.sort_unstable();
    let median = seeds.get(seeds.len() / 2).copied().unwrap_or(0);
    let sim = |figure: String| is_whole("simulation", figure);
    let lines = [
        Line {
            number: "R1",
            what: "simulated device-seconds per second",
            aim: "500,000",
            found: sim(per_second.unwrap_or(0).to_string()),
        },
        Line {
            number: "R2",
            what: "people's and line's acts",
            aim: "250,000",
            found: sim(of("actions").to_string()),
        },
        Line {
            number: "R3",
            what: "devices at once",
            aim: "2 to 12, 50; nightly 1,212",
            found: sim(match of("district") {
                0 => format!("2 to 12, {}", of("phones")),
                district => format!("2 to 12, {}; {district}", of("phones")),
            }),
        },
        Line {
            number: "R4",
            what: "mishaps, each met in every state of a phone",
            aim: "36",
            found: sim(of("mishaps").to_string()),
        },
        Line {
            number: "R5, R6",
            what: "seeds that end in step within two rounds",
            aim: "500, all",
            found: sim(format!("{}, all", of("seeds"))),
        },
        Line {
            number: "R7",
            what: "power cuts",
            aim: "100,000",
            found: is_whole(
                "power cuts and failing disks",
                of("crash-points").to_string(),
            ),
        },
        Line {
            number: "R8",
            what: "failing disks",
            aim: "5,000",
            found: is_whole(
                "power cuts and failing disks",
                of("failing-disks").to_string(),
            ),
        },
        Line {
            number: "R11",
            what: "named bad inputs",
            aim: "150",
            found: is_whole("bad inputs", of("bad-inputs").to_string()),
        },
        Line {
            number: "R12",
            what: "states of the model, all of them",
            aim: "1,000,000",
            found: is_whole("model", of("model-states").to_string()),
        },
        Line {
            number: "R13",
            what: "seeds played twice with equal traces",
            aim: "all",
            found: sim(of("seeds").to_string()),
        },
        Line {
            number: "R14",
            what: "planted bugs noticed, median of seeds",
            aim: "all, 50",
            found: format!("{noticed} of {}, {median}", caught.len()),
        },
        Line {
            number: "R18",
            what: "servers restored or set back in seeds",
            aim: "some",
            found: sim(of("restores").to_string()),
        },
        Line {
            number: "R23",
            what: "cells of the authorization matrix",
            aim: "all",
            found: is_whole("rights and canaries", of("matrix-cells").to_string()),
        },
        Line {
            number: "R24",
            what: "searches for personal canaries",
            aim: "nothing found",
            found: is_whole("rights and canaries", "nothing found".to_owned()),
        },
    ];
    let mut table = Table::new();
    table.set_header(["", "what", "aim", &format!("found at {commit}")]);
    for Line {
        number,
        what,
        aim,
        found,
    } in lines
    {
        table.add_row([number, what, aim, &found]);
    }
    table.to_string()
}
