//! A phone of a run: the real store, engine and HTTP client in a folder.

#![expect(
    clippy::disallowed_methods,
    reason = "the data set is read from a folder"
)]

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pocketbook::books::{Book, account};
use pocketbook::engine::{Credential, Engine, Reason, SyncReport, accept};
use pocketbook::seams::Transport;
use pocketbook::seams::http::HttpTransport;
use pocketbook::seams::system::Workstation;
use pocketbook::store::Store;
use pocketbook::store::blobs::Rendering;
use pocketbook::store::lists::{MAX_PAGE, Shown};
use pocketbook_records::ids::{BlobHash, RecordId};
use pocketbook_records::invitation::Invitation;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_tests::stack::{Result, device};

use super::document::{Document, Sum};

const ACCOUNT: &str = "account";

/// Somebody's phone.
pub(crate) struct Phone {
    pub(crate) store: Arc<Store>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) book: Book,
    pub(crate) folder: PathBuf,
}

impl Phone {
    /// Is set up in an empty folder: makes its store and enrols.
    pub(crate) async fn set_up(folder: &Path, invitation: &Invitation) -> Result<Self> {
        let server = &invitation.server;
        let transport: Arc<dyn Transport> =
            Arc::new(HttpTransport::new(&server.url, &server.trust)?);
        let platform = Arc::new(Workstation::new(folder));
        let seams = device::seams(folder, transport.clone(), platform)?;
        let secret = seams.keys.enrolment_secret(ACCOUNT)?;
        let store = Arc::new(account::open(folder, ACCOUNT, seams)?);
        let answer = accept(transport, invitation, (&secret, None), "phone").await?;
        store.adopt(&answer)?;
        let credential = Credential {
            enrolment: answer.enrolment,
            secret,
        };
        Ok(Self {
            engine: Arc::new(Engine::new(store.clone(), &credential, Arc::new(()))),
            book: Book::new(store.clone()),
            store,
            folder: folder.to_owned(),
        })
    }

    /// Is set up, and reads all that it may.
    pub(crate) async fn in_step(folder: &Path, invitation: &Invitation) -> Result<Self> {
        let phone = Self::set_up(folder, invitation).await?;
        phone.sync().await?;
        Ok(phone)
    }

    /// Comes in step with the server.
    pub(crate) async fn sync(&self) -> Result<SyncReport> {
        Ok(self.engine.sync_once(Reason::Asked).await?)
    }

    /// Saves what makes these versions out of those before, one by one, as a worker does.
    pub(crate) fn save(&self, versions: &[(Document, Document)]) -> Result<()> {
        for (before, after) in versions {
            let shown = self.shown(after.id)?;
            let changes = after.changes(before)?;
            self.book.edit(&HOUSEHOLD, after.id, shown.rev, &changes)?;
        }
        Ok(())
    }

    /// Looks at a household.
    pub(crate) fn shown(&self, id: RecordId) -> Result<Shown> {
        let shown = self.store.shown(&HOUSEHOLD, id)?;
        Ok(shown.ok_or("a household of the data set is not here")?)
    }

    /// Returns a photo's bytes.
    pub(crate) fn master(&self, hash: BlobHash) -> Result<Vec<u8>> {
        let master = self.store.photo(hash, Rendering::Master)?;
        Ok(master.ok_or("a photo is not here")?)
    }

    /// Reads all households as they are shown.
    pub(crate) fn sum(&self) -> Result<Sum> {
        let mut sum = Sum::default();
        let mut after = None;
        loop {
            let page = self
                .store
                .list(&HOUSEHOLD, None, after.as_ref(), MAX_PAGE)?;
            for row in &page.rows {
                sum.add(row.id, &row.fields);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(sum),
            }
        }
    }
}

/// Reads documents of the data set: a file's first ones.
pub(crate) fn documents(data: &Path, name: &str, most: usize) -> Result<Vec<Document>> {
    let file = File::open(data.join(name).with_extension("ndjson"))?;
    let lines = BufReader::new(file).lines().take(most);
    lines
        .map(|line| Ok(serde_json::from_str(&line?)?))
        .collect()
}

/// Pairs edited documents with the ones that they were made of.
pub(crate) fn with_originals(
    data: &Path,
    name: &str,
    most: usize,
) -> Result<Vec<(Document, Document)>> {
    let edited = documents(data, name, most)?;
    // The edits are of a run of the first 20,000.
    let mut originals = documents(data, "households", 20_000)?.into_iter();
    let pair = |after: Document| {
        let before = originals.find(|before| before.id == after.id);
        Ok((before.ok_or("an edit without its original")?, after))
    };
    edited.into_iter().map(pair).collect()
}
