use super::*;

const OK: Answered = Answered {
    more_work: false,
    more_news: false,
    is_fruitful: true,
    out_of_order: None,
    frames_follow: false,
    poll_after_ms: None,
};

const HEARD: Heard = Heard {
    next: None,
    sent_bytes: 100,
    took_ms: 100,
    out_of_order: false,
};

fn at(ms: i64) -> Moment {
    Moment {
        ms,
        dice: 0,
        is_online: true,
        is_foreground: true,
    }
}

fn photo(n: u8) -> BlobHash {
    BlobHash([n; 32])
}

fn waiting(uploads: Vec<BlobHash>) -> Event {
    Event::PhotosWaiting(Photos {
        uploads,
        lack_thumbnails: false,
    })
}

/// Plans and leaves out the looking for photos. An answer that is taken was heard before.
fn plan(state: &mut State, event: Event, ms: i64) -> Vec<Effect> {
    if let Event::Answered(answered) = &event {
        let heard = Heard {
            out_of_order: answered.out_of_order.is_some(),
            ..HEARD
        };
        assert_eq!(state.plan(Event::Heard(heard), at(ms)), []);
    }
    let mut effects = state.plan(event, at(ms));
    effects.retain(|effect| *effect != Effect::LookForPhotos);
    effects
}

/// What is exchanged: (hands in, pulls).
fn exchanged(effects: &[Effect]) -> Option<(bool, bool)> {
    match effects {
        [Effect::Exchange(exchange)] => Some((exchange.hands_in(), exchange.pull)),
        [] => None,
        other => panic!("not one exchange: {other:?}"),
    }
}

fn kicked() -> State {
    let mut state = State::new();
    let effects = plan(&mut state, Event::Kicked(Reason::Asked), 0);
    assert_eq!(exchanged(&effects), Some((true, true)));
    state
}

fn uploads(effects: &[Effect]) -> Vec<BlobHash> {
    let hash = |effect: &Effect| match effect {
        Effect::Upload { hash, .. } => Some(*hash),
        _ => None,
    };
    effects.iter().filter_map(hash).collect()
}

#[test]
fn hand_in_and_pull_ride_together() {
    let mut state = kicked();
    assert_eq!(plan(&mut state, Event::Answered(OK), 10), []);
    assert_eq!(state.records_due_ms(), None);
}

#[test]
fn what_is_authored_during_an_exchange_goes_with_the_next() {
    let mut state = kicked();
    assert_eq!(plan(&mut state, Event::Kicked(Reason::Authored), 5), []);

    let next = plan(&mut state, Event::Answered(OK), 10);

    assert_eq!(exchanged(&next), Some((true, true)));
}

#[test]
fn a_failing_hand_in_does_not_stop_the_pull() {
    let mut state = kicked();

    let first = plan(&mut state, Event::Unanswered(Trouble::Fault), 10);
    let second = plan(&mut state, Event::Unanswered(Trouble::Fault), 20);
    let third = plan(&mut state, Event::Answered(OK), 30);

    assert_eq!(exchanged(&first), Some((true, false)));
    assert_eq!(exchanged(&second), Some((false, true)));
    assert_eq!(exchanged(&third), None);
    assert_eq!(state.records_due_ms(), Some(2_020));
}

#[test]
fn a_failing_pull_does_not_stop_the_hand_in() {
    let mut state = kicked();
    plan(&mut state, Event::Unanswered(Trouble::Fault), 10);

    let pull = plan(&mut state, Event::Answered(OK), 20);
    let none = plan(&mut state, Event::Unanswered(Trouble::Fault), 30);
    let work = plan(&mut state, Event::Kicked(Reason::Authored), 40);
    let end = plan(&mut state, Event::Answered(OK), 50);

    assert_eq!(exchanged(&pull), Some((false, true)));
    assert_eq!(exchanged(&none), None);
    assert_eq!(exchanged(&work), Some((true, false)));
    assert_eq!(exchanged(&end), None);
}

#[test]
fn they_ride_together_again_once_both_work() {
    let mut state = kicked();
    plan(&mut state, Event::Unanswered(Trouble::Fault), 10);
    plan(&mut state, Event::Answered(OK), 20);
    plan(&mut state, Event::Answered(OK), 30);

    let next = plan(&mut state, Event::Kicked(Reason::Authored), 40);

    assert_eq!(exchanged(&next), Some((true, true)));
}

#[test]
fn too_much_is_halved_down_to_a_single_mutation_and_then_put_off() {
    let mut state = kicked();
    let mut sizes = Vec::new();
    let mut now = 0;
    let mut counts = Vec::new();
    while let [Effect::Exchange(exchange)] =
        plan(&mut state, Event::Unanswered(Trouble::TooMuch), now).as_slice()
    {
        if !exchange.hands_in() {
            break;
        }
        sizes.push(exchange.bytes);
        counts.push(exchange.count);
        now += 10;
    }
    assert_eq!(sizes, [32_768, 16_384, 8_192, 4_096, 2_048, 1_024]);
    assert_eq!(counts.last(), Some(&1));
    plan(&mut state, Event::Answered(OK), now);
    assert_eq!(state.records_due_ms(), Some(now + 2_000));
}

#[test]
fn batches_double_while_the_line_is_good() {
    let mut state = kicked();
    let mut sizes = Vec::new();
    for _ in 0..8 {
        let sent = state.records.batch_bytes();
        let heard = Heard {
            sent_bytes: sent,
            took_ms: 1_000,
            ..HEARD
        };
        let more = Answered {
            more_work: true,
            ..OK
        };
        state.plan(Event::Heard(heard), at(0));
        match state.plan(Event::Answered(more), at(0)).as_slice() {
            [Effect::LookForPhotos, Effect::Exchange(exchange)] => sizes.push(exchange.bytes),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(sizes[..3], [128 << 10, 256 << 10, 512 << 10]);
    assert_eq!(sizes[7], 3 << 20);
}

#[test]
fn a_batch_that_takes_next_to_nothing_is_followed_by_one_of_four_times_its_size() {
    let mut state = kicked();
    let heard = Heard {
        sent_bytes: state.records.batch_bytes(),
        took_ms: 50,
        ..HEARD
    };

    state.plan(Event::Heard(heard), at(0));

    assert_eq!(state.records.batch_bytes(), 256 << 10);
}

/// Returns where work begins that goes while an answer is taken in.
fn ahead(state: &mut State, next: u64) -> Option<Start> {
    let heard = Heard {
        next: Some(Mseq(next)),
        ..HEARD
    };
    match state.plan(Event::Heard(heard), at(0)).as_slice() {
        [] => None,
        [Effect::Exchange(exchange)] if !exchange.pull && exchange.hands_in() => {
            Some(exchange.start)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn while_an_answer_is_taken_in_the_next_work_is_on_its_way() {
    let mut state = kicked();
    let more = Answered {
        more_work: true,
        ..OK
    };
    for n in 1..=4 {
        assert_eq!(ahead(&mut state, n), Some(Start::Ahead(Mseq(n))));
        let taken = state.plan(Event::Answered(more.clone()), at(0));
        assert_eq!(taken, [Effect::LookForPhotos]);
    }

    state.plan(Event::Kicked(Reason::Asked), at(0));
    assert_eq!(ahead(&mut state, 5), None, "news would wait");
    let taken = state.plan(Event::Answered(more), at(0));
    assert_eq!(exchanged(&taken[1..]), Some((true, true)));
}

#[test]
fn nothing_goes_ahead_while_work_fails() {
    let mut state = kicked();
    plan(&mut state, Event::Unanswered(Trouble::Fault), 0);

    assert_eq!(ahead(&mut state, 2), None);
}

#[test]
fn work_that_went_ahead_and_was_not_answered_is_due_again() {
    let mut state = kicked();
    ahead(&mut state, 2);
    state.plan(Event::Answered(OK), at(0));

    let again = plan(&mut state, Event::Unanswered(Trouble::BadLine), 0);

    assert_eq!(again, []);
    assert_eq!(state.records_due_ms(), Some(2_000));
}

#[test]
fn an_answer_that_cannot_be_taken_parts_work_and_news_whatever_went_ahead() {
    let mut state = kicked();
    ahead(&mut state, 2);
    plan(&mut state, Event::Unanswered(Trouble::Fault), 0);
    let more = Answered {
        more_work: true,
        ..OK
    };

    let next = plan(&mut state, Event::Answered(more), 10);

    assert_ne!(exchanged(&next), Some((true, true)));
}

#[test]
fn a_batch_out_of_order_begins_where_the_server_says_and_is_no_failure() {
    let mut state = kicked();
    let before = state.records.batch_bytes();
    let told = Answered {
        out_of_order: Some(Mseq(7)),
        is_fruitful: false,
        ..OK
    };

    let effects = plan(&mut state, Event::Answered(told.clone()), 10);

    let [Effect::Exchange(exchange)] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(exchange.start, Start::Asked(Mseq(7)));
    assert_eq!(exchange.bytes, before);
    plan(&mut state, Event::Answered(told.clone()), 20);
    assert_eq!(plan(&mut state, Event::Answered(told), 30), []);
    assert!(state.records_due_ms() > Some(30));
}

#[test]
fn work_goes_out_while_the_frames_of_a_first_sync_still_come_in() {
    let mut state = kicked();
    plan(&mut state, waiting(vec![photo(1)]), 5);
    let frames = Answered {
        frames_follow: true,
        ..OK
    };
    assert_eq!(plan(&mut state, Event::Answered(frames), 10), []);

    let urgent = plan(&mut state, Event::Kicked(Reason::Authored), 20);
    let held = plan(&mut state, Event::Answered(OK), 30);
    let streamed = Streamed {
        more_news: true,
        is_fruitful: true,
    };
    let pages = plan(&mut state, Event::Streamed(Ok(streamed)), 40);
    let photos = plan(&mut state, Event::Answered(OK), 50);

    assert_eq!(exchanged(&urgent), Some((true, false)));
    assert_eq!(held, []);
    assert_eq!(exchanged(&pages), Some((false, true)));
    assert_eq!(uploads(&photos), [photo(1)]);
}

#[test]
fn a_stream_that_never_brings_anything_is_asked_for_less_and_less_often() {
    let mut state = kicked();
    let frames = Answered {
        frames_follow: true,
        is_fruitful: false,
        ..OK
    };
    let nothing = Streamed {
        more_news: true,
        is_fruitful: false,
    };
    let mut asked = 0;
    loop {
        asked += 1;
        assert_eq!(plan(&mut state, Event::Answered(frames.clone()), 10), []);
        if plan(&mut state, Event::Streamed(Ok(nothing)), 10).is_empty() {
            break;
        }
    }
    assert_eq!(asked, 3);
    assert_eq!(state.records_due_ms(), Some(2_010));
}

#[test]
fn answers_that_bring_nothing_are_not_asked_for_without_end() {
    let mut state = kicked();
    let empty = Answered {
        more_news: true,
        is_fruitful: false,
        ..OK
    };
    let mut waits = Vec::new();
    let mut now = 0;
    for _ in 0..6 {
        if plan(&mut state, Event::Answered(empty.clone()), now).is_empty() {
            let next = state.records_due_ms().unwrap();
            waits.push(next - now);
            now = next;
            plan(&mut state, Event::Kicked(Reason::Timer), now);
        }
    }
    assert_eq!(waits, [2_000, 4_000, 8_000, 16_000]);
}

#[test]
fn the_servers_not_before_holds_for_everything_and_everyone() {
    let mut state = kicked();
    plan(&mut state, waiting(vec![photo(1)]), 5);
    plan(&mut state, Event::Unanswered(Trouble::Busy(9_000)), 10);

    assert_eq!(plan(&mut state, Event::Kicked(Reason::Asked), 9_009), []);
    assert_eq!(state.next_ms(at(9_009)), 9_010);
    let next = plan(&mut state, Event::Kicked(Reason::Timer), 9_010);
    assert_eq!(exchanged(&next), Some((true, true)));
}

#[test]
fn a_person_who_asks_ends_our_own_waiting() {
    let mut state = kicked();
    plan(&mut state, Event::Unanswered(Trouble::NoLine), 10);

    assert_eq!(plan(&mut state, Event::Kicked(Reason::Authored), 20), []);
    let asked = plan(&mut state, Event::Kicked(Reason::Asked), 30);

    assert_eq!(exchanged(&asked), Some((true, true)));
}

#[test]
fn a_refused_credential_is_tried_again_later_and_takes_nothing() {
    let mut state = kicked();

    assert_eq!(
        plan(&mut state, Event::Unanswered(Trouble::Refused), 10),
        []
    );

    assert_eq!(state.records_due_ms(), Some(2_010));
}

#[test]
fn photos_follow_the_records_three_at_once() {
    let mut state = kicked();
    let photos = (1..=5).map(photo).collect();
    assert_eq!(plan(&mut state, waiting(photos), 5), []);

    let begun = plan(&mut state, Event::Answered(OK), 10);

    assert_eq!(uploads(&begun), [photo(1), photo(2), photo(3)]);
    let next = plan(&mut state, Event::Uploaded(photo(2), Ok(Piece::Last)), 20);
    assert_eq!(uploads(&next), [photo(4)]);
}

#[test]
fn urgent_work_cuts_in_between_two_pieces_of_a_photo() {
    let mut state = kicked();
    plan(&mut state, Event::Answered(OK), 10);
    let begun = plan(&mut state, waiting(vec![photo(1)]), 15);
    assert_eq!(uploads(&begun), [photo(1)]);

    let urgent = plan(&mut state, Event::Kicked(Reason::Authored), 20);
    let piece = Ok(Piece::Sent {
        bytes: 1,
        took_ms: 1,
    });
    let held = plan(&mut state, Event::Uploaded(photo(1), piece), 30);
    let goes_on = plan(&mut state, Event::Answered(OK), 40);

    assert_eq!(exchanged(&urgent), Some((true, true)));
    assert_eq!(held, []);
    assert_eq!(uploads(&goes_on), [photo(1)]);
}

#[test]
fn one_bad_photo_stops_no_other_and_no_record() {
    let mut state = kicked();
    plan(&mut state, Event::Answered(OK), 10);
    plan(&mut state, waiting(vec![photo(1), photo(2)]), 15);

    let failed = Event::Uploaded(photo(1), Err(Trouble::Fault));
    assert_eq!(plan(&mut state, failed, 20), []);
    let piece = Ok(Piece::Sent {
        bytes: 1,
        took_ms: 1,
    });
    let other = plan(&mut state, Event::Uploaded(photo(2), piece), 30);
    assert_eq!(uploads(&other), [photo(2)]);
    let work = plan(&mut state, Event::Kicked(Reason::Authored), 40);
    assert_eq!(exchanged(&work), Some((true, true)));
}

#[test]
fn photos_go_though_records_fail() {
    let mut state = kicked();
    plan(&mut state, waiting(vec![photo(1)]), 5);

    let effects = plan(&mut state, Event::Unanswered(Trouble::BadLine), 10);

    assert_eq!(uploads(&effects), [photo(1)]);
}

#[test]
fn a_book_that_cannot_be_read_stops_no_other_book() {
    let mut state = kicked();
    let (a, b) = (UnitId::from("a"), UnitId::from("b"));
    plan(&mut state, Event::Answered(OK), 10);
    let first = plan(
        &mut state,
        Event::BooksOffered(vec![a.clone(), b.clone()]),
        20,
    );
    let second = plan(
        &mut state,
        Event::BookRead(a.clone(), Err(Trouble::Fault)),
        30,
    );
    let end = plan(&mut state, Event::BookRead(b.clone(), Ok(())), 40);

    assert_eq!(first, [Effect::ReadBook(a)]);
    assert_eq!(second, [Effect::ReadBook(b)]);
    assert_eq!(end, []);
    assert_eq!(state.next_ms(at(40)), 2_030);
}

#[test]
fn thumbnails_are_fetched_one_request_at_a_time_with_a_back_off_of_their_own() {
    let mut state = kicked();
    let lacking = || {
        Event::PhotosWaiting(Photos {
            uploads: Vec::new(),
            lack_thumbnails: true,
        })
    };

    let during = plan(&mut state, lacking(), 5);
    let begun = plan(&mut state, Event::Answered(OK), 10);
    let again = plan(&mut state, lacking(), 15);
    let more = plan(&mut state, Event::ThumbnailsFetched(Ok(())), 20);
    let failed = Event::ThumbnailsFetched(Err(Trouble::BadLine));
    let put_off = plan(&mut state, failed, 30);

    assert_eq!((during, again, put_off), (vec![], vec![], vec![]));
    assert_eq!(begun, [Effect::FetchThumbnails]);
    assert_eq!(more, [Effect::FetchThumbnails]);
    assert_eq!(state.next_ms(at(30)), 2_030);
    let later = plan(&mut state, Event::Kicked(Reason::Timer), 2_030);
    assert_eq!(later, [Effect::FetchThumbnails]);
}

#[test]
fn without_network_nothing_is_tried() {
    let mut state = State::new();
    let moment = Moment {
        is_online: false,
        ..at(0)
    };

    let effects = state.plan(Event::Kicked(Reason::Asked), moment);

    assert_eq!(effects, [Effect::LookForPhotos]);
    assert!(state.next_ms(moment) > 0);
    let back = plan(&mut state, Event::Kicked(Reason::Connected), 10);
    assert_eq!(exchanged(&back), Some((true, true)));
}

#[test]
fn what_was_under_way_when_the_driver_stopped_is_still_due() {
    let mut state = kicked();
    state.start_over();

    assert_eq!(state.records_due_ms(), Some(0));
}

#[test]
fn news_are_asked_for_from_time_to_time_and_not_sooner_than_told() {
    let mut state = kicked();
    let told = Answered {
        poll_after_ms: Some(100_000),
        ..OK
    };
    plan(&mut state, Event::Answered(told), 0);

    assert_eq!(state.next_ms(at(0)), 100_000);
    assert_eq!(plan(&mut state, Event::Kicked(Reason::Timer), 99_999), []);
    let due = plan(&mut state, Event::Kicked(Reason::Timer), 100_000);
    assert_eq!(exchanged(&due), Some((true, true)));
}
