//! With all rules in force no state breaks an invariant: every scene is searched to its end.
//!
//! `DEEP=1` searches the larger scenes, for minutes.

use std::env;
use std::time::Instant;

use pocketbook_model::{Play, Rules, Scene};
use stateright::{Checker, Model};

#[test]
fn no_state_of_any_scene_breaks_an_invariant() {
    let states: usize = scenes().iter().map(|scene| search(*scene)).sum();

    assert!(states >= 1_000_000, "the scenes shrank to {states} states");
}

fn scenes() -> &'static [Scene] {
    if env::var_os("DEEP").is_some() {
        &Scene::DEEP
    } else {
        &Scene::ALL
    }
}

/// Searches a scene to its end and returns how many states it has.
#[expect(
    clippy::disallowed_methods,
    reason = "what a search takes is told, not tested"
)]
#[expect(clippy::print_stdout, reason = "the figures are for people")]
fn search(scene: Scene) -> usize {
    let rules = Rules::PROTOCOL;
    let began = Instant::now();
    let checker = Play { scene, rules }
        .checker()
        .threads(2)
        .spawn_bfs()
        .join();
    let states = checker.unique_state_count();
    let seconds = began.elapsed().as_secs_f32();
    println!("{:>10} {states:>9} states {seconds:>6.1} s", scene.name);
    println!("proof: model-states {states}");
    checker.assert_properties();
    states
}
