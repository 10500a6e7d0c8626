//! Every route × every role × where the caller's duty lies, seen from the object.
//!
//! An object (a case with its photo, a review, a tray item, a household) lies in one grid. Each
//! role is held by four people: at its own unit over that grid, one level above, at a sibling unit,
//! and in another street. A line of [`MATRIX`] names the roles that may do a thing where their duty
//! reaches the object, and those that are told that it is somebody else's to do. For everybody
//! else the answer must be, byte for byte, the one about an object that does not exist.
//!
//! A route of the server's own OpenAPI document without a line here fails the test.

use std::collections::BTreeSet;

use pocketbook_records::rights::Role;
use pocketbook_records::rights::Role::{
    CommunityClerk, DistrictDesk, GridHead, GridWorker, Handler, PartTimer, SecurityAdmin,
    StreetDesk, SystemAdmin, Volunteer,
};
use pocketbook_tests::proofs;
use pocketbook_tests::world::{Client, World};

use super::scene::{Answer, Deed, Place, Scene, Somebody};

struct Line {
    route: &'static str,
    deed: Deed,
    /// Those who may, where their duty reaches.
    may: &'static [Role],
    /// Whom the case was dispatched to, too.
    and_handler: bool,
    /// Those who are told that it is another's to do.
    told: &'static [Role],
    /// Those whose word is kept for another's.
    kept: &'static [Role],
}

const fn line(route: &'static str, deed: Deed) -> Line {
    Line {
        route,
        deed,
        may: &[],
        and_handler: false,
        told: &[],
        kept: &[],
    }
}

impl Line {
    const fn may(mut self, roles: &'static [Role]) -> Self {
        self.may = roles;
        self
    }

    const fn and_handler(mut self) -> Self {
        self.and_handler = true;
        self
    }

    const fn told(mut self, roles: &'static [Role]) -> Self {
        self.told = roles;
        self
    }

    const fn kept(mut self, roles: &'static [Role]) -> Self {
        self.kept = roles;
        self
    }

    fn answer(&self, who: &Somebody) -> Answer {
        match who.role {
            _ if !reaches(who) => Answer::Hidden,
            Handler if self.and_handler => Answer::Yes,
            role if self.may.contains(&role) => Answer::Yes,
            role if self.told.contains(&role) => Answer::NotYours,
            role if self.kept.contains(&role) => Answer::Parked,
            _ => Answer::Hidden,
        }
    }
}

/// Who reads general records of a grid.
const READERS: &[Role] = &[
    GridWorker,
    PartTimer,
    Volunteer,
    GridHead,
    CommunityClerk,
    StreetDesk,
    DistrictDesk,
];
/// Who reads sensitive records.
const ENTITLED: &[Role] = &[GridWorker, GridHead, CommunityClerk, StreetDesk];
/// Who decides what waits for somebody's word.
const HOLDERS: &[Role] = &[GridHead, CommunityClerk, StreetDesk];
/// Whose phone holds cases.
const ON_PHONES: &[Role] = &[GridWorker, PartTimer, Volunteer, GridHead, Handler];
/// Who changes household files.
const WRITERS: &[Role] = &[GridWorker, GridHead, CommunityClerk, StreetDesk];

const MATRIX: &[Line] = &[
    line("get /v1/desk/cases", Deed::ListCases)
        .may(READERS)
        .and_handler(),
    line("get /v1/desk/cases/{id}", Deed::ReadCase)
        .may(READERS)
        .and_handler(),
    line("get /v1/desk/cases/{id}", Deed::ReadCaller).may(ENTITLED),
    line("post /v1/desk/cases", Deed::CreateCase).may(&[
        GridWorker,
        PartTimer,
        Volunteer,
        GridHead,
        CommunityClerk,
        StreetDesk,
    ]),
    line("post /v1/desk/cases/{id}/commands/{name}", Deed::AcceptCase)
        .may(&[StreetDesk, CommunityClerk])
        .told(&[GridWorker, PartTimer, Volunteer, GridHead])
        .kept(&[DistrictDesk]),
    line("get /v1/desk/reviews", Deed::ListReviews).may(READERS),
    line("post /v1/desk/reviews/{id}/decide", Deed::DecideReview)
        .may(WRITERS)
        .kept(&[PartTimer, Volunteer, DistrictDesk]),
    line("get /v1/desk/parked", Deed::ListParked).may(READERS),
    line(
        "post /v1/desk/parked/{id}/commands/{name}",
        Deed::ReleaseParked,
    )
    .may(HOLDERS)
    .told(&[GridWorker, PartTimer, Volunteer, DistrictDesk]),
    // Names of colleagues, for those who lead them or keep the accounts.
    line("get /v1/desk/radar", Deed::ReadRadar).may(&[
        GridHead,
        CommunityClerk,
        StreetDesk,
        DistrictDesk,
        SystemAdmin,
        SecurityAdmin,
    ]),
    line("get /v1/blobs/{hash}", Deed::ReadPhoto)
        .may(READERS)
        .and_handler(),
    line("head /v1/blobs/{hash}", Deed::AskForPhoto)
        .may(READERS)
        .and_handler(),
    line("post /v1/blobs", Deed::AnnouncePhoto)
        .may(READERS)
        .and_handler(),
    line("patch /v1/blobs/{hash}", Deed::AppendToPhoto)
        .may(READERS)
        .and_handler(),
    line("post /v1/thumbnails", Deed::ReadThumbnail)
        .may(READERS)
        .and_handler(),
    // Desks above a grid work online.
    line("post /v1/sync", Deed::PullGeneral).may(ON_PHONES),
    line("post /v1/sync", Deed::PullSensitive).may(&[GridWorker, GridHead]),
    line("post /v1/sync", Deed::WantCase).may(ON_PHONES),
    line("post /v1/sync", Deed::EditHousehold).may(WRITERS),
];

/// Routes that are about no object of a grid: what anybody, or anybody recognised, may read.
const OF_NO_OBJECT: &[&str] = &[
    "post /v1/enrol",
    "post /v1/enrol/again",
    "post /v1/desk/session",
    "delete /v1/desk/session",
    "get /v1/health",
    "options /v1/blobs",
    "get /v1/book/manifest",
    "get /v1/book/parts/{hash}",
];

fn reaches(who: &Somebody) -> bool {
    match (who.role, who.place) {
        // What was dispatched to a unit is that unit's alone.
        (Handler, place) => place == Place::Own,
        (_, place) => matches!(place, Place::Own | Place::Above),
    }
}

#[tokio::test]
async fn every_route_answers_every_role_as_the_table_says() {
    let scene = Scene::set().await;
    let mut wrong = Vec::new();
    for line in MATRIX {
        for who in &scene.people {
            let expected = line.answer(who);
            let answer = scene.answer(line.deed, who).await;
            if answer != expected {
                let (deed, role, place) = (line.deed, who.role, who.place);
                wrong.push(format!(
                    "{deed:?} by {role:?} {place:?}: {answer:?} instead of {expected:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    proofs::tell("matrix-cells", (MATRIX.len() * scene.people.len()) as u64);
}

#[tokio::test]
async fn every_route_of_the_document_has_its_line() {
    let world = World::new(1702).await;
    let document = Client::unknown(world.town().clone())
        .gets("/openapi.json")
        .await
        .ok();
    let paths = document["paths"].as_object().expect("paths");
    let served: BTreeSet<String> = paths
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("methods");
            methods.keys().map(move |method| format!("{method} {path}"))
        })
        .collect();
    let lines = MATRIX.iter().map(|line| line.route);
    let known = lines.chain(OF_NO_OBJECT.iter().copied());
    assert_eq!(served, known.map(str::to_owned).collect());
}

/// Routes that ask nobody who he is.
const OPEN: &[&str] = &[
    "post /v1/enrol",
    "post /v1/desk/session",
    "get /v1/health",
    "options /v1/blobs",
];

#[tokio::test]
async fn without_the_right_sort_of_credential_no_route_does_anything() {
    let world = World::new(1703).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    let desk = world.signs_in("王").await;
    let town = world.town().clone();
    let nobody = Client::unknown(town.clone());
    let forged = Client::with(town.clone(), format!("{}.{}", wang.user(), "00".repeat(32)));
    let phone = Client::with(town, wang.bearer());
    let lines = MATRIX.iter().map(|line| line.route);
    let routes: BTreeSet<&str> = lines.chain(OF_NO_OBJECT.iter().copied()).collect();
    for route in routes.iter().filter(|route| !OPEN.contains(route)) {
        let (method, path) = route.split_once(' ').expect("a method and a path");
        let path = path
            .replace("{id}", "01890000-0000-7000-8000-00000000dead")
            .replace("{hash}", &"ab".repeat(32))
            .replace("{name}", "accept");
        let mut strangers = vec![&nobody, &forged];
        if path.starts_with("/v1/desk/") && *route != "delete /v1/desk/session" {
            strangers.push(&phone);
        }
        if matches!(path.as_str(), "/v1/sync" | "/v1/enrol/again") {
            strangers.push(desk.client());
        }
        for stranger in strangers {
            let json = [("content-type", "application/json")];
            let method = method.to_uppercase();
            let reply = stranger.sends(&method, &path, &json, "{}").await;
            assert_eq!(reply.status, 401, "{route} {:?}", reply.body);
            if method != "HEAD" {
                reply.problem();
            }
        }
    }
}
