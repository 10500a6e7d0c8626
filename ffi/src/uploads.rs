//! Photos as jobs for the platform's own uploader, which goes on when the app is gone.

use std::collections::HashMap;
use std::sync::Arc;

use pocketbook::uploads;
use pocketbook_records::ids::BlobHash;

use crate::book::{Opened, PocketBook};
use crate::error::Result;

/// One upload: a `PATCH` of `url` with these headers and the file as its body.
///
/// The headers hold the device's credential, and the file is not sealed: both stay inside the app.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct UploadJob {
    /// The photo.
    pub hash: BlobHash,
    /// Where to.
    pub url: String,
    /// With which headers.
    pub headers: HashMap<String, String>,
    /// The file to send whole.
    pub file: String,
    /// Where in the photo that file begins.
    pub offset: u64,
}

#[uniffi::export]
impl PocketBook {
    /// Prepares the oldest waiting photos for the platform's uploader. Give it jobs when the app
    /// goes to the background, and tell each one's end with [`Self::report_upload`]; meanwhile
    /// the book must not synchronise by itself.
    pub async fn next_upload_jobs(&self, most: u32) -> Result<Vec<UploadJob>> {
        let opened = self.opened()?;
        opened
            .tasks
            .carry_out(jobs(Arc::clone(&opened), most as usize))
            .await
    }

    /// Takes the status and headers (names in lower case) with which the server answered a job.
    pub fn report_upload(
        &self,
        hash: BlobHash,
        status: u16,
        headers: HashMap<String, String>,
    ) -> Result<()> {
        self.call(|opened| {
            Ok(opened
                .enrolled()?
                .report_upload(hash, status, headers.into_iter().collect())?)
        })
    }
}

async fn jobs(opened: Arc<Opened>, most: usize) -> Result<Vec<UploadJob>> {
    let engine = opened.enrolled()?;
    let mut jobs = Vec::new();
    for upload in opened.store.next_uploads(most)? {
        if let Some(job) = engine.upload_job(upload.hash).await? {
            jobs.push(UploadJob::of(job, &opened));
        }
    }
    Ok(jobs)
}

impl UploadJob {
    fn of(job: uploads::UploadJob, opened: &Opened) -> Self {
        let uploads::UploadJob {
            hash,
            url,
            headers,
            file,
            offset,
        } = job;
        Self {
            hash,
            url,
            headers: headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            file: opened.files.join(file).to_string_lossy().into_owned(),
            offset,
        }
    }
}
