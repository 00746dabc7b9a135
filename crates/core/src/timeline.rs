//! Everything by date: all records of a connection or of a person, newest first.

use crate::chart::{summary_view, word_of};
use crate::engine::Engine;
use crate::people::also_from;
use crate::problem::Result;
use crate::view::{ChartOf, RecordPageView, RecordSummaryView, TimelineFilter, YearView};

impl Engine {
    /// A page of everything by date, newest first, what has no date last; of a person, each group as one
    /// row. `limit` is at most 1,000.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`.
    pub async fn timeline(
        &self,
        of: &ChartOf,
        filter: &TimelineFilter,
        offset: u64,
        limit: u64,
    ) -> Result<RecordPageView> {
        let filter = self.timeline_filter(of, filter).await?;
        let page = self
            .inner
            .store
            .timeline(&filter, (offset, limit.min(1000)))
            .await?;
        let names = self.server_names().await?;
        let rows = page.rows.into_iter().map(|group| RecordSummaryView {
            also_from: group
                .others
                .iter()
                .map(|other| also_from(other, &group.row, &names))
                .collect(),
            ..summary_view(group.row, &names)
        });
        Ok(RecordPageView {
            rows: rows.collect(),
            total: page.total,
        })
    }

    /// How many rows of it each year has, the newest first: where to jump to.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`.
    pub async fn timeline_years(
        &self,
        of: &ChartOf,
        filter: &TimelineFilter,
    ) -> Result<Vec<YearView>> {
        let filter = self.timeline_filter(of, filter).await?;
        let years = self.inner.store.timeline_years(&filter).await?;
        let views = years.into_iter().map(|row| YearView {
            year: row.year,
            records: row.records,
        });
        Ok(views.collect())
    }

    async fn timeline_filter(
        &self,
        of: &ChartOf,
        filter: &TimelineFilter,
    ) -> Result<satchel_store::TimelineFilter> {
        let mut stored = satchel_store::TimelineFilter {
            section: filter.section.map(word_of),
            abnormal: filter.abnormal,
            ..satchel_store::TimelineFilter::default()
        };
        match of {
            ChartOf::Connection { connection_id } => {
                stored.connection_id = Some(self.connection_row(connection_id).await?.id);
            }
            ChartOf::Person { person_id } => {
                stored.person_id = Some(self.person_row(person_id).await?.id);
                self.settle(person_id).await?;
            }
        }
        Ok(stored)
    }
}
