//! A resident met at a door: one action of a person, so one write.

use pocketbook::Error;
use pocketbook_records::kinds::person::PERSON_SENSITIVE;
use pocketbook_records::receipt::Reason;
use pocketbook_tests::world::World;
use pocketbook_tests::world::people::fields;
use serde_json::json;

#[tokio::test]
async fn a_new_resident_is_saved_whole_in_one_write_or_not_at_all() {
    let world = World::new(81).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let flat = wang.flat(0);
    let before = wang.home(flat).people.len();
    let person = || fields(json!({"household": flat, "name": "郑", "relation": "other"}));

    // Nothing but the second half is wrong, and it is written last.
    let wrong = fields(json!({"phone": "x"}));
    let refused = wang.book().add_person(person(), wrong);
    assert!(matches!(refused, Err(Error::Refused(Reason::BadValue(path))) if path == "phone"));
    assert_eq!(wang.status().waiting, 0);
    assert_eq!(wang.home(flat).people.len(), before);

    let commits = wang.store().commits();
    let phone = fields(json!({"phone": "15400001111"}));
    let (id, _) = wang.book().add_person(person(), phone).expect("saved");
    assert_eq!(
        wang.store().commits(),
        commits + 1,
        "no kill finds half of it"
    );
    wang.is_killed();
    assert_eq!(wang.status().waiting, 2);
    assert_eq!(wang.home(flat).people.len(), before + 1);
    assert_eq!(wang.phone_of(id), "15400001111");

    wang.syncs().await;
    let zhao = world.head("赵", &grid).await;
    zhao.syncs().await;
    assert_eq!(
        zhao.sees(&PERSON_SENSITIVE, id).value("phone"),
        "15400001111"
    );
    world.check(&[&wang, &zhao]).await;
}
