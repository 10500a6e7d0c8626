//! Issue reports as workers, residents and the hotline bring them, to be authored by demo and tests.

use serde::{Deserialize, Serialize};

use super::files::{DataError, data_folder, read_json};

/// One report of an issue (问题上报).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseReport {
    /// Article of the part `issue-categories`.
    pub category: String,
    /// `worker`, `resident`, `wechat` or `12345`.
    pub source: String,
    /// Code of the grid.
    pub grid: String,
    /// The place in words.
    pub place: String,
    /// What is wrong.
    pub text: String,
    /// Latitude in 1e-7 degrees, WGS-84.
    pub lat_e7: i64,
    /// Longitude in 1e-7 degrees, WGS-84.
    pub lon_e7: i64,
}

/// Reads the stored reports.
pub fn case_reports() -> Result<Vec<CaseReport>, DataError> {
    read_json(&data_folder().join("cases.json"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{OrgFile, parts};
    use super::*;

    #[test]
    fn every_report_names_a_real_category_and_a_real_grid() {
        let org = OrgFile::read().expect("the organisation reads");
        let book = parts().expect("the book reads");
        let categories: BTreeSet<_> = book
            .iter()
            .filter(|file| file.part.part == "issue-categories")
            .flat_map(|file| file.part.articles.iter().map(|article| article.id.as_str()))
            .collect();

        let reports = case_reports().expect("the reports read");

        assert_eq!(reports.len(), 30);
        for report in &reports {
            assert!(
                categories.contains(report.category.as_str()),
                "{}",
                report.category
            );
            assert!(
                org.grids().any(|grid| grid.code == report.grid),
                "{}",
                report.grid
            );
        }
    }
}
