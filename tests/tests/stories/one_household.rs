//! Two workers change one household offline (field-work S4, without variant B).

use std::collections::BTreeSet;

use pocketbook::books::Take;
use pocketbook::store::view::mark;
use pocketbook_records::ids::RecordId;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE};
use pocketbook_records::kinds::review;
use pocketbook_tests::world::check::Truth;
use pocketbook_tests::world::{HOUR, Phone, World};
use serde_json::{Value, json};

const WANGS: &str = "15411110001";
const LIS: &str = "15411110002";
const ZHAOS: &str = "15411110003";

/// 王, 李 and their head 赵, in step at one household.
struct Team {
    world: World,
    wang: Phone,
    li: Phone,
    zhao: Phone,
    flat: RecordId,
    head: RecordId,
    mother: RecordId,
    old: Value,
}

impl Team {
    async fn in_step(seed: u64) -> Self {
        let world = World::new(seed).await;
        let grid = world.grid(0);
        world.settle(&grid, 40).await;
        let wang = world.worker("王", &grid).await;
        let li = world.worker("李", &grid).await;
        let zhao = world.head("赵", &grid).await;
        for phone in [&wang, &li, &zhao] {
            phone.syncs().await;
        }
        let flat = wang.flat(0);
        let (head, mother) = (wang.person(flat, 0), wang.person(flat, 1));
        let old = wang.phone_of(head);
        Self {
            world,
            wang,
            li,
            zhao,
            flat,
            head,
            mother,
            old,
        }
    }

    /// Both change the household offline, 李 a little later; 李 is the first to come online.
    async fn part_and_meet(&self) {
        self.wang.offline();
        self.li.offline();
        self.wang.changes_phone(self.head, WANGS);
        self.wang.tags(self.mother, "empty-nest", "子女在外地");
        self.world.hours_pass(1);
        self.li.changes_phone(self.head, LIS);
        self.li.notes_tenure(self.flat, "rent");
        self.li.adds_person(self.flat, "刘小雨", "child");
        self.world.hours_pass(1);
        self.li.online();
        self.li.syncs().await;
        self.wang.online();
        self.wang.syncs().await;
        self.li.syncs().await;
        self.zhao.syncs().await;
    }

    fn phones(&self) -> [&Phone; 3] {
        [&self.wang, &self.li, &self.zhao]
    }

    /// What people see in the end, without ids and times.
    fn seen(&self) -> Value {
        let file = self.wang.home(self.flat);
        let names: BTreeSet<_> = file
            .people
            .iter()
            .filter_map(|p| p.person.fields.name.clone())
            .collect();
        let reviews: Vec<_> = self
            .wang
            .reviews_of(self.head)
            .into_iter()
            .map(|review| (review.review.fields.path.clone(), values(&review)))
            .collect();
        json!({
            "tenure": file.household.fields.tenure,
            "names": names,
            "tags": self.wang.sees(&PERSON, self.mother).value("tags"),
            "phone": self.wang.phone_of(self.head),
            "reviews": reviews,
        })
    }
}

fn values(review: &pocketbook::books::OpenReview) -> BTreeSet<String> {
    review
        .candidates
        .iter()
        .map(|candidate| candidate.value.to_string())
        .collect()
}

#[tokio::test]
async fn different_fields_merge_in_silence_and_the_same_field_keeps_both_values_for_all_to_see() {
    let team = Team::in_step(21).await;

    team.part_and_meet().await;

    for phone in team.phones() {
        assert_eq!(phone.sees(&HOUSEHOLD, team.flat).value("tenure"), "rent");
        let tag = phone
            .sees(&PERSON, team.mother)
            .value("tags/empty-nest/proof");
        assert_eq!(tag, "子女在外地");
        let people = phone.home(team.flat).people;
        assert!(
            people
                .iter()
                .any(|p| p.person.fields.name.as_deref() == Some("刘小雨"))
        );

        assert_eq!(
            phone.phone_of(team.head),
            LIS,
            "the later by authoring is shown meanwhile"
        );
        let reviews = phone.reviews_of(team.head);
        assert_eq!(reviews.len(), 1, "only the phone number is in conflict");
        assert_eq!(reviews[0].review.fields.path.as_deref(), Some("phone"));
        let three = BTreeSet::from([
            team.old.to_string(),
            json!(WANGS).to_string(),
            json!(LIS).to_string(),
        ]);
        assert_eq!(values(&reviews[0]), three, "no value is lost");
        let marked = phone.sees(&PERSON_SENSITIVE, team.head).shown.mark;
        assert_ne!(marked & mark::IN_CONFLICT, 0, "the row carries 有冲突");
    }
    let [review] = &team.wang.reviews_of(team.head)[..] else {
        panic!("one review")
    };
    let value = |candidate: &Option<_>| {
        candidate
            .as_ref()
            .map(|c: &review::Candidate| c.value.clone())
    };
    assert_eq!(value(&review.mine), Some(json!(WANGS)));
    assert_eq!(value(&review.theirs), Some(json!(LIS)));
    assert_eq!(value(&review.before), Some(team.old.clone()));
    team.world.check(&team.phones()).await;
}

#[tokio::test]
async fn who_decides_without_having_seen_the_third_number_is_asked_once_more() {
    let team = Team::in_step(22).await;
    team.part_and_meet().await;
    let [screen] = &team.wang.reviews_of(team.head)[..] else {
        panic!("one review")
    };
    team.zhao.changes_phone(team.head, ZHAOS);
    team.zhao.syncs().await;

    // 王 decides offline, on the screen that she had.
    team.wang.offline();
    let mine = Take::Candidate(screen.mine.clone().expect("her own value").id);
    team.wang.decides(screen, mine);
    team.wang.online();
    team.wang.syncs().await;

    let [again] = &team.wang.reviews_of(team.head)[..] else {
        panic!("it stays open")
    };
    assert!(
        values(again).contains(&json!(ZHAOS).to_string()),
        "赵's number is told"
    );
    assert_eq!(
        team.wang.phone_of(team.head),
        ZHAOS,
        "nothing was settled unseen"
    );

    let mine = Take::Candidate(again.mine.clone().expect("her own value").id);
    team.wang.decides(again, mine);
    team.wang.syncs().await;
    for phone in team.phones() {
        phone.syncs().await;
        assert_eq!(phone.phone_of(team.head), WANGS);
        assert!(phone.reviews_of(team.head).is_empty());
        let closed = phone
            .book()
            .review(again.review.id)
            .expect("the review is kept")
            .review
            .fields;
        assert_eq!(
            closed.decided_by,
            Some(team.wang.user().0),
            "with a note who decided"
        );
    }
    team.world.check(&team.phones()).await;
}

#[tokio::test]
async fn a_decision_is_shown_at_once_and_does_not_flicker() {
    let team = Team::in_step(23).await;
    team.part_and_meet().await;
    let [screen] = &team.wang.reviews_of(team.head)[..] else {
        panic!("one review")
    };
    team.wang.offline();

    let mine = Take::Candidate(screen.mine.clone().expect("her own value").id);
    team.wang.decides(screen, mine);
    assert_eq!(team.wang.phone_of(team.head), WANGS, "offline already");
    assert!(team.wang.reviews_of(team.head).is_empty());

    team.wang.online();
    team.wang.syncs().await;
    assert_eq!(team.wang.phone_of(team.head), WANGS);
    assert!(team.wang.reviews_of(team.head).is_empty());
    team.world.check(&[&team.wang]).await;
}

#[tokio::test]
async fn a_repeated_upload_changes_nothing() {
    let team = Team::in_step(24).await;
    team.part_and_meet().await;
    let before = Truth::of(&team.world.town().server());

    for old in team.wang.line().passed() {
        team.wang.line().repeats(&old).await;
    }

    assert_eq!(
        before.records(),
        Truth::of(&team.world.town().server()).records()
    );
    for phone in team.phones() {
        phone.syncs().await;
    }
    team.world.check(&team.phones()).await;
}

#[tokio::test]
async fn a_clock_two_hours_fast_gives_the_same_result() {
    let right = Team::in_step(25).await;
    right.part_and_meet().await;
    let fast = Team::in_step(25).await;
    fast.li.clock().is_off_by(2 * HOUR);
    fast.part_and_meet().await;
    let slow = Team::in_step(25).await;
    slow.li.clock().is_off_by(-72 * HOUR);
    slow.part_and_meet().await;

    assert_eq!(right.seen(), fast.seen());
    assert_eq!(right.seen(), slow.seen());
}

#[tokio::test]
async fn two_days_of_moving_out_wait_for_the_head_and_nobody_is_silently_gone() {
    let team = Team::in_step(26).await;
    let (wang, li, zhao) = (&team.wang, &team.li, &team.zhao);
    wang.offline();
    li.offline();
    wang.notes_moving_out(team.flat, "2026-11-20");
    team.world.hours_pass(1);
    li.notes_moving_out(team.flat, "2026-11-22");
    li.notes_tenure(team.flat, "empty");
    wang.online();
    li.online();
    for phone in [wang, li, wang, zhao] {
        phone.syncs().await;
    }

    for phone in team.phones() {
        let shown = phone.sees(&HOUSEHOLD, team.flat);
        assert_eq!(
            shown.value("moved_out"),
            "2026-11-20",
            "what stood stays until the head decides"
        );
        assert_eq!(shown.value("tenure"), "empty", "the other field is merged");
        assert_eq!(phone.reviews_of(team.flat).len(), 1);
    }

    // A worker's choice is a proposal.
    let [review] = &li.reviews_of(team.flat)[..] else {
        panic!("one review")
    };
    assert_eq!(review.review.fields.held, Some(true));
    let mine = review.mine.clone().expect("her own value").id;
    li.decides(review, Take::Candidate(mine));
    li.syncs().await;
    zhao.syncs().await;
    assert_eq!(
        zhao.sees(&HOUSEHOLD, team.flat).value("moved_out"),
        "2026-11-20"
    );

    let [held] = &zhao.reviews_of(team.flat)[..] else {
        panic!("it waits for him")
    };
    let later = held
        .candidates
        .iter()
        .find(|c| c.value == "2026-11-22")
        .expect("李's day")
        .id
        .clone();
    zhao.decides(held, Take::Candidate(later));
    for phone in [zhao, wang, li] {
        phone.syncs().await;
        assert_eq!(
            phone.sees(&HOUSEHOLD, team.flat).value("moved_out"),
            "2026-11-22"
        );
        assert!(phone.reviews_of(team.flat).is_empty());
    }
    team.world.check(&team.phones()).await;
}

#[tokio::test]
async fn a_tag_that_two_people_added_goes_when_somebody_who_saw_both_takes_it_off() {
    let world = World::new(19).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    let zhao = world.head("赵", &grid).await;
    wang.syncs().await;
    zhao.syncs().await;
    let person = wang.person(wang.flat(0), 0);
    wang.tags(person, "disabled", "残疾证");
    zhao.tags(person, "disabled", "残疾证");
    for phone in [&wang, &zhao, &wang, &zhao] {
        phone.syncs().await;
    }

    let seen = wang.sees(&PERSON, person);
    wang.enters(&seen, "tags/disabled", Value::Null);
    wang.syncs().await;
    zhao.syncs().await;

    for phone in [&wang, &zhao] {
        let tags = phone.sees(&PERSON, person).value("tags");
        assert!(tags.get("disabled").is_none(), "{tags}");
    }
    world.check(&[&wang, &zhao]).await;
}

/// What a seed has found: of the fields that one edit had written, a deletion that had not seen it
/// listed the first alone.
#[tokio::test]
async fn a_deletion_that_had_not_seen_an_edit_lists_all_that_it_wrote() {
    let team = Team::in_step(22).await;
    let (wang, zhao, mother) = (&team.wang, &team.zhao, team.mother);
    let tag = json!({"proof": "残1234", "since": "2026-01-01"});
    wang.enters(&wang.sees(&PERSON, mother), "tags/disabled", tag);
    let seen = zhao.sees(&PERSON, mother).shown.rev;
    zhao.book().delete(&PERSON, mother, seen).expect("saved");

    for phone in [wang, zhao, wang, &team.li] {
        phone.syncs().await;
    }

    let wrote = json!({"tags/disabled/proof": "残1234", "tags/disabled/since": "2026-01-01"});
    let reviews = zhao.reviews_of(mother);
    assert_eq!(
        values(&reviews[0]),
        BTreeSet::from([wrote.to_string(), "null".to_owned()])
    );
    team.world.check(&team.phones()).await;
}
