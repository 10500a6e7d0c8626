//! The door from the apps' side: what is written is read back, whatever is wrong has a typed
//! answer, and nothing panics.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail too")]
#![expect(
    clippy::disallowed_methods,
    reason = "these tests read photos, damage a database and play a server"
)]

mod garbage;
mod opening;
mod work;

use std::collections::HashMap;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use pocketbook::books::account;
use pocketbook::photos::Size;
use pocketbook::seams::folder::Folder;
use pocketbook::seams::http::{HttpTransport, Trust};
use pocketbook::seams::system::{SystemClock, SystemEntropy, Workstation};
use pocketbook::seams::{Facts, Keys, KeysError, Network, Seams, Secret};
use pocketbook::store::blobs::Rendering;
use pocketbook_ffi::models::Take;
use pocketbook_ffi::{
    Account, CallbackError, Change, EnrolFault, FirstCommand, KeyProvider, KeyPurpose,
    KeystoreError, NewIssue, NewPerson, NewVisit, Obstacle, PhoneFacts, PhotoFault, PocketBook,
    PocketbookError, read_invitation, set_aside_and_salvage,
};
use pocketbook_records::ids::{BlobHash, Hex, Mid, RecordId, Rev, UnitId, UserId};
use pocketbook_records::invitation;
use pocketbook_records::mutation::Expect;
use pocketbook_records::wire::{Certificate, EnrolAnswer};
use uuid::Uuid;

const GRID: &str = "610402001001001";
/// Nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

fn key(purpose: KeyPurpose) -> u8 {
    match purpose {
        KeyPurpose::Database => 1,
        KeyPurpose::Files => 2,
        KeyPurpose::Enrolment => 3,
    }
}

/// One key per purpose, and the same for ever.
struct Keystore;

impl KeyProvider for Keystore {
    fn key(&self, _: String, purpose: KeyPurpose) -> Result<Vec<u8>, KeystoreError> {
        Ok(vec![key(purpose); 32])
    }
    fn forget(&self, _: String) -> Result<(), KeystoreError> {
        Ok(())
    }
}

impl Keys for Keystore {
    fn database_key(&self, _: &str) -> Result<Secret, KeysError> {
        Ok(Secret::new([key(KeyPurpose::Database); 32]))
    }
    fn file_key(&self, _: &str) -> Result<Secret, KeysError> {
        Ok(Secret::new([key(KeyPurpose::Files); 32]))
    }
    fn enrolment_secret(&self, _: &str) -> Result<Secret, KeysError> {
        Ok(Secret::new([key(KeyPurpose::Enrolment); 32]))
    }
    fn forget(&self, _: &str) -> Result<(), KeysError> {
        Ok(())
    }
}

/// A keystore that gives too little.
struct ShortKeys;

impl KeyProvider for ShortKeys {
    fn key(&self, _: String, _: KeyPurpose) -> Result<Vec<u8>, KeystoreError> {
        Ok(vec![1; 5])
    }
    fn forget(&self, _: String) -> Result<(), KeystoreError> {
        Ok(())
    }
}

struct Online;

impl PhoneFacts for Online {
    fn facts(&self) -> Result<Facts, CallbackError> {
        let network = Network::Unmetered;
        Ok(Facts {
            network,
            free_bytes: None,
            battery_percent: None,
            is_foreground: true,
        })
    }
}

/// A phone whose facts throw.
struct Broken;

impl PhoneFacts for Broken {
    fn facts(&self) -> Result<Facts, CallbackError> {
        Err(CallbackError::Failed)
    }
}

fn at(folder: &Path, server: &str) -> Account {
    Account {
        folder: folder.to_string_lossy().into_owned(),
        name: "wang".into(),
        server: server.into(),
        authority_pem: None,
        server_key: None,
    }
}

fn open(folder: &Path, server: &str) -> Arc<PocketBook> {
    PocketBook::open(at(folder, server), Arc::new(Keystore), Arc::new(Online)).unwrap()
}

/// Opens a book as it is after its device was enrolled.
fn enrolled(folder: &Path, server: &str) -> Arc<PocketBook> {
    let seams = Seams {
        clock: Arc::new(SystemClock::new()),
        entropy: Arc::new(SystemEntropy),
        transport: Arc::new(HttpTransport::new(server, &Trust::Web).unwrap()),
        keys: Arc::new(Keystore),
        files: Arc::new(Folder::open(folder.join("files")).unwrap()),
        platform: Arc::new(Workstation::new(folder)),
    };
    let (enrolment, user) = (
        pocketbook_records::ids::EnrolmentId(Uuid::from_u128(1)),
        UserId(Uuid::from_u128(2)),
    );
    let certificate = Certificate {
        enrolment,
        user,
        secret_hash: Default::default(),
        at: 0,
        key_id: 1,
        signature: String::new(),
    };
    let answer = EnrolAnswer {
        enrolment,
        user,
        name: "王".into(),
        district: UnitId::from("610402"),
        epoch: pocketbook_records::ids::Epoch(1),
        grants: vec![
            format!("grid:{GRID}:general").parse().unwrap(),
            format!("grid:{GRID}:sensitive").parse().unwrap(),
        ],
        certificate,
        bundle_key: String::new(),
        sealing_key: String::new(),
    };
    account::open(folder, "wang", seams)
        .unwrap()
        .adopt(&answer)
        .unwrap();
    open(folder, server)
}

fn wait<T>(call: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(call)
}

fn photo(name: &str) -> Vec<u8> {
    std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../tests/data/photos")
            .join(name),
    )
    .unwrap()
}

fn household(book: &PocketBook) -> RecordId {
    let fields = format!(
        r#"{{"grid":"{GRID}","place":{{"compound":"试点小区","building":"3","room":501,"wing":"东"}},
            "tags":{{"party-home":{{"proof":"证明"}}}},"pin":{{"lat_e7":343137720,"lon_e7":1086975690}}}}"#
    );
    book.create("household".into(), fields, None, None)
        .unwrap()
        .record
}

fn issue(photos: Vec<Vec<u8>>) -> NewIssue {
    NewIssue {
        grid: UnitId::from(GRID),
        category: "E0205".into(),
        place: "东门".into(),
        text: None,
        household: None,
        photos,
    }
}

fn person(household: RecordId, id_number: Option<&str>) -> NewPerson {
    NewPerson {
        household,
        name: "郑".into(),
        relation: None,
        sex: None,
        birth: None,
        id_number: id_number.map(str::to_owned),
        phone: Some("15400001111".into()),
    }
}

fn no_badges() -> pocketbook_ffi::models::Badges {
    pocketbook_ffi::models::Badges {
        is_waiting: false,
        needs_fixing: false,
        is_parked: false,
        is_in_conflict: false,
    }
}
