//! What the writer promises to its jobs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use pocketbook_records::ids::Commit;

use super::Fault;
use crate::beside;
use crate::server::{Form, Options, Server};
use crate::store::districts;
use crate::testing::{District, bytes_of, put_back};

fn threaded() -> (tempfile::TempDir, Server) {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        form: Form::Threaded,
        ..Options::default()
    };
    let server = Server::init(dir.path(), "610402", "秦都区", options).unwrap();
    (dir, server)
}

/// Holds the writer until jobs were handed to it that then share a transaction.
fn together(server: &Server, jobs: Vec<Job>) -> Vec<Result<Commit, Fault>> {
    // Ends once the other side is dropped, however often it is run.
    let (go, wait) = channel::<()>();
    let gate = move |_: &mut crate::Batch<'_>| {
        let _ = wait.recv();
        Ok(())
    };
    server.writer().hand(gate, drop).unwrap();
    let mut answers = Vec::new();
    for job in jobs {
        let (reply, answer) = channel();
        let reply = move |made| reply.send(made).unwrap();
        server.writer().hand(job, reply).unwrap();
        answers.push(answer);
    }
    drop(go);
    let answers = answers.into_iter();
    answers.map(|answer| answer.recv().unwrap()).collect()
}

type Job = Box<dyn FnMut(&mut crate::Batch<'_>) -> Result<Commit, Fault> + Send>;

fn counting(runs: &Arc<AtomicUsize>, fails: bool) -> Job {
    let runs = runs.clone();
    Box::new(move |batch| {
        runs.fetch_add(1, Ordering::SeqCst);
        let commit = batch.commit()?;
        if fails {
            Err(Fault::Exhausted)
        } else {
            Ok(commit)
        }
    })
}

#[test]
fn waiting_jobs_share_a_transaction_and_each_has_its_own_commit() {
    let (_dir, server) = threaded();
    let runs = Arc::new(AtomicUsize::new(0));
    let jobs = (0..5).map(|_| counting(&runs, false)).collect();
    let commits: Vec<_> = together(&server, jobs)
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert!(commits.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0));
    assert_eq!(runs.load(Ordering::SeqCst), 5);
    assert_eq!(server.asof().commit, commits[4]);
}

#[test]
fn one_bad_job_never_stops_another() {
    let (_dir, server) = threaded();
    let runs = Arc::new(AtomicUsize::new(0));
    let jobs = [false, true, false].map(|fails| counting(&runs, fails));
    let answers = together(&server, jobs.into());
    assert!(answers[0].is_ok() && answers[1].is_err() && answers[2].is_ok());
    assert_eq!(
        runs.load(Ordering::SeqCst),
        5,
        "two of the group, then each alone"
    );
}

#[test]
fn a_panic_is_a_fault_of_its_job() {
    let (_dir, server) = threaded();
    let panics: Job = Box::new(|batch| {
        batch.commit()?;
        panic!("unforeseen")
    });
    let runs = Arc::new(AtomicUsize::new(0));
    let answers = together(&server, vec![panics, counting(&runs, false)]);
    assert!(matches!(answers[0], Err(Fault::Panicked)) && answers[1].is_ok());
}

#[test]
fn a_job_that_only_looks_gets_no_number() {
    let district = District::new();
    let before = district.server.asof().commit;
    district.write(|batch| Ok(batch.now()));
    assert_eq!(district.server.asof().commit, before);
}

#[test]
fn every_opening_reserves_a_new_block() {
    let district = District::new();
    let first = district.write(|batch| batch.commit());
    let noted = beside::read_ordinal(district.dir.path()).unwrap().unwrap();
    let district = district.reopen();
    let second = district.write(|batch| batch.commit());
    assert!(second > Commit::new(noted.ordinal, noted.reserved) && second > first);
}

#[test]
fn a_database_rolled_back_never_uses_a_number_again() {
    let district = District::new();
    let path = district.dir.path().join("data/pocketbook.db");
    district.server.stop();
    let old = bytes_of(&path);
    let district = district.reopen();
    let used = district.write(|batch| batch.commit());
    district.server.stop();
    let District { server, clock, dir } = district;
    drop(server);
    for file in ["data/pocketbook.db-wal", "data/pocketbook.db-shm"] {
        put_back(&dir.path().join(file), &[]);
    }
    put_back(&path, &old);
    let options = Options {
        clock,
        form: Form::Inline,
        ..Options::default()
    };
    let server = Server::open(dir.path(), options).unwrap();
    let next = server.writer().run(|batch| batch.commit()).unwrap();
    assert!(next > used);
}

#[test]
fn a_long_run_reserves_as_it_goes() {
    let district = District::new();
    let first = district.write(|batch| batch.commit());
    for _ in 0..super::BLOCK + 10 {
        district.write(|batch| batch.commit());
    }
    let last = district.server.asof().commit;
    assert_eq!(last.0, first.0 + u64::from(super::BLOCK) + 10);
}

#[test]
fn a_folder_is_taken_by_one_process_only() {
    let district = District::new();
    let second = Server::open(district.dir.path(), Options::inline());
    assert!(matches!(second, Err(crate::server::OpenError::Taken)));
}

#[test]
fn time_never_runs_back() {
    let district = District::new();
    let first = district.write(|batch| {
        batch.commit()?;
        Ok(batch.now())
    });
    district.clock.advance(-10_000_000);
    let second = district.write(|batch| Ok(batch.now()));
    assert!(second >= first && district.server.now() >= first);
}

#[test]
fn after_a_restart_memory_and_database_name_the_same_commit() {
    let dir = tempfile::tempdir().unwrap();
    drop(Server::init(dir.path(), "610402", "秦都区", Options::inline()).unwrap());
    for _ in 0..2 {
        let server = Server::open(dir.path(), Options::inline()).unwrap();
        let head = server.read(|store| districts::head(store.sql, store.district));
        assert_eq!(server.asof().commit, head.unwrap().last);
    }
}
