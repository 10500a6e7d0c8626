//! The scene of the matrix: the objects, the people around them, and how each of the deeds is tried.

use pocketbook_records::ids::{BlobHash, Mid, RecordId, UnitId};
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::rights::Role;
use pocketbook_records::rights::Role::{
    Auditor, CommunityClerk, DistrictDesk, GridHead, GridWorker, Handler, PartTimer, SecurityAdmin,
    StreetDesk, SystemAdmin, Volunteer,
};
use pocketbook_records::scope::Scope;
use pocketbook_records::wire::{Ask, Key, Mode, Pull};
use pocketbook_tests::world::handmade::{HandMade, heard};
use pocketbook_tests::world::pictures::photo;
use pocketbook_tests::world::{Desk, World};
use serde_json::{Value, json};

/// Where a duty lies, seen from the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// At the unit of the role's level that the object lies in.
    Own,
    /// One level above.
    Above,
    /// Beside it.
    Sibling,
    /// In another street.
    Foreign,
}

const PLACES: [Place; 4] = [Place::Own, Place::Above, Place::Sibling, Place::Foreign];

/// What somebody does about the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    ListCases,
    ReadCase,
    ReadCaller,
    CreateCase,
    AcceptCase,
    ListReviews,
    DecideReview,
    ListParked,
    ReleaseParked,
    ReadRadar,
    ReadPhoto,
    AskForPhoto,
    AnnouncePhoto,
    AppendToPhoto,
    ReadThumbnail,
    PullGeneral,
    PullSensitive,
    WantCase,
    EditHousehold,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Done, or shown.
    Yes,
    /// Somebody else's to do; the caller sees the object.
    NotYours,
    /// Kept for somebody else's word; the caller sees the object.
    Parked,
    /// As if there were no such object.
    Hidden,
}

fn other_street(world: &World) -> UnitId {
    let streets = ["610402001", "610402002"].map(UnitId::from);
    let mut others = streets.into_iter();
    others
        .find(|street| *street != world.street())
        .expect("a district has several streets")
}

/// Somebody of a role at a place, with a phone and a desk.
pub(super) struct Somebody {
    pub(super) role: Role,
    pub(super) place: Place,
    desk: Desk,
    phone: HandMade,
}

/// What it is all about.
struct Objects {
    grid: UnitId,
    case: RecordId,
    photo: BlobHash,
    review: RecordId,
    household: RecordId,
    worker: String,
}

pub(super) struct Scene {
    world: World,
    objects: Objects,
    clerk: Desk,
    /// A worker of another street.
    stranger: HandMade,
    pub(super) people: Vec<Somebody>,
}

impl Scene {
    /// Builds the scene.
    pub(super) async fn set() -> Self {
        let world = World::wide(1701).await;
        let grid = world.grid(0);
        world.settle(&grid, 8).await;
        let wang = world.worker("王", &grid).await;
        let li = world.worker("李", &grid).await;
        let zhao = world.head("赵", &grid).await;
        let clerk = world.street_desk("陈").await;
        for phone in [&wang, &li, &zhao] {
            phone.syncs().await;
        }
        let household = wang.flat(0);
        li.offline();
        wang.notes_tenure(household, "rented");
        li.notes_tenure(household, "borrowed");
        wang.syncs().await;
        li.online();
        li.syncs().await;
        zhao.syncs().await;
        let review = zhao.reviews_of(household)[0].review.id;
        let objects = Objects {
            case: RecordId(uuid::Uuid::nil()),
            photo: BlobHash([0; 32]),
            worker: "王".to_owned(),
            grid,
            review,
            household,
        };
        let afar = world.grid_of(&other_street(&world));
        world.worker("外", &afar).await;
        let code = world.code("外").await.code;
        let stranger = HandMade::enrol(world.town(), "外", &code).await;
        let mut scene = Self {
            world,
            objects,
            clerk,
            stranger,
            people: Vec::new(),
        };
        scene.objects.case = scene.a_case().await;
        let case = scene.clerk.case(scene.objects.case).await;
        scene.objects.photo = case["photos"][0]
            .as_str()
            .and_then(|hash| hash.parse().ok())
            .expect("the case has a photo");
        for role in Role::ALL {
            for place in PLACES {
                if let Some(unit) = scene.unit(role, place) {
                    let somebody = scene.somebody(role, place, &unit).await;
                    scene.people.push(somebody);
                }
            }
        }
        scene
    }

    /// Reports a case with a photo and a caller, and has it dispatched.
    async fn a_case(&self) -> RecordId {
        let desk = self.clerk.client();
        let hash = desk.uploads(&photo(1)).await;
        let asked = json!({
            "mid": self.clerk.mid(), "grid": self.objects.grid, "category": "C0101",
            "place": "东门", "text": "井盖缺失", "source": "12345",
            "caller": "来电人", "phone": "15400001234", "photos": [hash],
        });
        let made = desk.posts("/v1/desk/cases", &asked).await.ok();
        let id = made["id"].as_str().or_else(|| made["case"]["id"].as_str());
        let id = id.and_then(|id| id.parse().ok()).expect("a case");
        self.clerk.accepts(id).await;
        self.clerk.dispatches(id, &self.world.menders(), 24).await;
        id
    }

    /// Returns the unit at which a role lies at a place.
    fn unit(&self, role: Role, place: Place) -> Option<UnitId> {
        let world = &self.world;
        let (street, community) = (world.street(), world.community());
        let other_street = other_street(world);
        let district = UnitId::from("610402");
        let sibling = world.sibling_community();
        let foreign = world.grid_of(&other_street);
        Some(match (role, place) {
            (GridWorker | PartTimer | Volunteer | GridHead, Place::Own) => world.grid(0),
            (GridWorker | PartTimer | Volunteer | GridHead, Place::Above) => community,
            (GridWorker | PartTimer | Volunteer | GridHead, Place::Sibling) => world.grid(1),
            (CommunityClerk, Place::Own) => community,
            (CommunityClerk, Place::Above) => street,
            (CommunityClerk, Place::Sibling) => sibling,
            (StreetDesk, Place::Own) => street,
            (StreetDesk, Place::Above) => district,
            (StreetDesk, Place::Sibling) => other_street,
            (Handler, Place::Own) => world.menders(),
            (Handler, Place::Above) => district,
            (Handler, Place::Sibling) => UnitId::from("U-water"),
            (DistrictDesk | SystemAdmin | SecurityAdmin | Auditor, Place::Own) => district,
            (DistrictDesk | SystemAdmin | SecurityAdmin | Auditor, Place::Above) => return None,
            (DistrictDesk | SystemAdmin | SecurityAdmin | Auditor, Place::Sibling) => other_street,
            (_, Place::Foreign) => foreign,
        })
    }

    async fn somebody(&self, role: Role, place: Place, unit: &UnitId) -> Somebody {
        let name = format!("{role:?}-{place:?}");
        let desk = self.world.at_desk(&name, role, unit).await;
        let code = self.world.code(&name).await.code;
        let phone = HandMade::enrol(self.world.town(), &name, &code).await;
        Somebody {
            role,
            place,
            desk,
            phone,
        }
    }
}

/// What is asked about: the objects, or others that nobody ever made.
#[derive(Clone, Copy)]
struct About {
    case: RecordId,
    photo: BlobHash,
    review: RecordId,
    parked: RecordId,
    household: RecordId,
}

/// An answer as far as it can be told from another.
type Heard = (u16, String);

impl Scene {
    /// Has somebody do something about the real objects and about unknown ones, and compares.
    pub(super) async fn answer(&self, deed: Deed, who: &Somebody) -> Answer {
        let case = match deed {
            // A step that was taken can't be taken again.
            Deed::AcceptCase => self.a_fresh_case().await,
            _ => self.objects.case,
        };
        let parked = match deed {
            Deed::ListParked | Deed::ReleaseParked => self.something_parked().await,
            _ => RecordId(uuid::Uuid::nil()),
        };
        let real = About {
            case,
            photo: self.objects.photo,
            review: self.objects.review,
            parked,
            household: self.objects.household,
        };
        let none = RecordId(uuid::uuid!("01890000-0000-7000-8000-00000000dead"));
        let unknown = About {
            case: none,
            photo: BlobHash([0xde; 32]),
            review: none,
            parked: none,
            household: none,
        };
        let (there, nowhere) = (
            self.hears(deed, who, real).await,
            self.hears(deed, who, unknown).await,
        );
        match there {
            _ if there == nowhere => Answer::Hidden,
            (403, _) => Answer::NotYours,
            (202, _) => Answer::Parked,
            (200..300, _) => Answer::Yes,
            // It is here whole, so that nothing follows at the offset given.
            (409, _) if deed == Deed::AppendToPhoto => Answer::Yes,
            other => panic!("{deed:?} by {:?} {:?}: {other:?}", who.role, who.place),
        }
    }

    async fn hears(&self, deed: Deed, who: &Somebody, about: About) -> Heard {
        let (desk, phone) = (who.desk.client(), who.phone.client());
        let lists = async |path: &str, id: RecordId| {
            let listed = desk.gets(path).await;
            assert_eq!(listed.status, 200, "{:?}", listed.body);
            let text = String::from_utf8_lossy(&listed.body).into_owned();
            (200, text.contains(&id.to_string()).to_string())
        };
        let said = |reply: pocketbook_tests::world::client::Reply| {
            (
                reply.status,
                String::from_utf8_lossy(&reply.body).into_owned(),
            )
        };
        match deed {
            Deed::ListCases => lists("/v1/desk/cases?limit=200", about.case).await,
            Deed::ReadCase => said(desk.gets(&format!("/v1/desk/cases/{}", about.case)).await),
            Deed::ReadCaller => {
                let reply = desk.gets(&format!("/v1/desk/cases/{}", about.case)).await;
                let shown = String::from_utf8_lossy(&reply.body).contains("15400001234");
                (200, shown.to_string())
            }
            Deed::CreateCase => {
                let grid = match about.case == self.objects.case {
                    true => self.objects.grid.0.as_str(),
                    false => "610402999999999",
                };
                let asked = json!({
                    "mid": who.desk.mid(), "grid": grid, "category": "C0101", "place": "东门",
                    "text": "井盖缺失", "source": "superior",
                });
                let reply = desk.posts("/v1/desk/cases", &asked).await;
                match reply.status {
                    201 => (201, "made".to_owned()),
                    // Where there are grids is no secret; what waits for a word is not made.
                    _ => (404, String::new()),
                }
            }
            Deed::AcceptCase => {
                let step = json!({
                    "mid": who.desk.mid(), "args": {},
                    "expect": {"state": "submitted", "turn": 1},
                });
                let path = format!("/v1/desk/cases/{}/commands/accept", about.case);
                said(desk.posts(&path, &step).await)
            }
            Deed::ListReviews => lists("/v1/desk/reviews?limit=200", about.review).await,
            Deed::DecideReview => {
                let asked =
                    json!({"mid": who.desk.mid(), "choice": {"candidate": "base"}, "seen": []});
                let path = format!("/v1/desk/reviews/{}/decide", about.review);
                said(desk.posts(&path, &asked).await)
            }
            Deed::ListParked => lists("/v1/desk/parked?limit=200", about.parked).await,
            Deed::ReleaseParked => {
                let step = json!({
                    "mid": who.desk.mid(), "args": {"reason": "不属实"},
                    "expect": {"state": "parked", "turn": 1},
                });
                let path = format!("/v1/desk/parked/{}/commands/refuse", about.parked);
                said(desk.posts(&path, &step).await)
            }
            Deed::ReadRadar => {
                let known = about.case == self.objects.case;
                let reply = desk.gets("/v1/desk/radar").await;
                let text = String::from_utf8_lossy(&reply.body).into_owned();
                let named = text.contains(&format!("\"{}\"", self.objects.worker));
                (reply.status, (known && named).to_string())
            }
            Deed::ReadPhoto => said(phone.gets(&format!("/v1/blobs/{}", about.photo)).await),
            Deed::AskForPhoto => {
                let path = format!("/v1/blobs/{}", about.photo);
                let tus = [("tus-resumable", "1.0.0")];
                said(phone.sends("HEAD", &path, &tus, "").await)
            }
            Deed::AnnouncePhoto => {
                let reply = phone.announces(&about.photo.to_string(), 20_000).await;
                let stored = reply.headers.contains_key("pocketbook-stored");
                (reply.status, stored.to_string())
            }
            Deed::AppendToPhoto => {
                let hash = about.photo.to_string();
                let reply = phone.appends(&hash, 7, vec![1; 10]).await;
                let offset = reply.headers.get("upload-offset").cloned();
                (reply.status, format!("{offset:?}"))
            }
            Deed::ReadThumbnail => {
                let asked = json!({"hashes": [about.photo]});
                said(phone.posts("/v1/thumbnails", &asked).await)
            }
            Deed::PullGeneral => self.pulls(who, about.case).await,
            Deed::PullSensitive => self.pulls_sensitive(who, about.case).await,
            Deed::WantCase => self.wants(who, about.case).await,
            Deed::EditHousehold => {
                let to = json!("other");
                let edit = who
                    .phone
                    .change(&HOUSEHOLD, about.household, "tenure", Value::Null, to);
                let told = who.phone.hands_in(vec![who.phone.numbers(&edit)]).await;
                (200, format!("{:?} {:?}", told[0].outcome, told[0].reason))
            }
        }
    }

    fn scopes(&self, who: &Somebody) -> [Scope; 4] {
        let grid = &self.objects.grid;
        [
            Scope::General(grid.clone()),
            Scope::Sensitive(grid.clone()),
            Scope::Unit(self.world.menders()),
            Scope::User(who.phone.user()),
        ]
    }

    /// Asks for all that a phone could ask for; says which kinds of an id came.
    async fn came(&self, who: &Somebody, id: RecordId, want: Vec<Key>) -> Vec<String> {
        let ask = Ask {
            cursor: None,
            mode: Mode::Frames { after: None },
        };
        let scopes = match want.is_empty() {
            true => self.scopes(who).map(|scope| (scope, ask.clone())).into(),
            false => Default::default(),
        };
        let mut request = who.phone.request(Vec::new());
        request.pull = Some(Pull {
            scopes,
            want,
            max_bytes: None,
            takes_links: false,
        });
        let heard = heard(&who.phone.sends(&request).await);
        let rows = heard.frames.iter().flat_map(|frame| &frame.rows);
        let puts = rows.chain(&heard.answer.bodies);
        puts.filter(|put| put.id == id)
            .map(|put| put.kind.clone())
            .collect()
    }

    async fn pulls(&self, who: &Somebody, case: RecordId) -> Heard {
        let came = self.came(who, case, Vec::new()).await;
        (200, came.contains(&"case".to_owned()).to_string())
    }

    async fn pulls_sensitive(&self, who: &Somebody, case: RecordId) -> Heard {
        let came = self.came(who, case, Vec::new()).await;
        (200, came.contains(&"case-sensitive".to_owned()).to_string())
    }

    async fn wants(&self, who: &Somebody, case: RecordId) -> Heard {
        let key = |kind: &str| Key {
            kind: kind.to_owned(),
            id: case,
        };
        let came = self.came(who, case, vec![key("case")]).await;
        (200, (!came.is_empty()).to_string())
    }

    async fn a_fresh_case(&self) -> RecordId {
        self.clerk
            .takes_call(&self.objects.grid, "12345-7", "井盖缺失")
            .await
    }

    /// Somebody without a right writes about the household; it waits for the grid's holder.
    async fn something_parked(&self) -> RecordId {
        let stranger = &self.stranger;
        let edit = stranger.change(
            &HOUSEHOLD,
            self.objects.household,
            "tenure",
            Value::Null,
            json!("borrowed"),
        );
        let mutation = stranger.numbers(&edit);
        let mid: Mid = mutation.mid;
        stranger.hands_in(vec![mutation]).await;
        pocketbook_records::kinds::review::tray_id(mid)
    }
}
