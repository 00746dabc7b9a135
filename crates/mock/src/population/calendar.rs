//! Days and moments by pure arithmetic, so that neither a clock nor a time zone database is asked.

/// A day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day(i32);

/// The last day of every story: the population's "today".
pub(super) const TODAY: Day = Day::new(2026, 6, 30);

impl Day {
    /// The day `year`-`month`-`day` of the Gregorian calendar.
    pub(super) const fn new(year: i32, month: i32, day: i32) -> Self {
        let y = if month <= 2 { year - 1 } else { year };
        let era = y.div_euclid(400);
        let of_era = y.rem_euclid(400);
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let of_era_days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
        Self(era * 146_097 + of_era_days - 719_468)
    }

    /// Year, month, day.
    pub(super) const fn parts(self) -> (i32, i32, i32) {
        let z = self.0 + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + era * 400 + if month <= 2 { 1 } else { 0 };
        (year, month, doy - (153 * mp + 2) / 5 + 1)
    }

    /// This day and `days` more.
    pub(super) fn plus(self, days: i64) -> Self {
        Self(self.0 + i32::try_from(days).unwrap_or(0))
    }

    /// This day `months` months later (the 28th at most, so that it exists).
    pub(super) fn plus_months(self, months: i32) -> Self {
        let (year, month, day) = self.parts();
        let total = year * 12 + month - 1 + months;
        Self::new(total.div_euclid(12), total.rem_euclid(12) + 1, day.min(28))
    }

    /// The next weekday from here on: offices are closed at the weekend.
    pub(super) fn weekday(self) -> Self {
        match (self.0 + 4).rem_euclid(7) {
            6 => Self(self.0 + 2),
            0 => Self(self.0 + 1),
            _ => self,
        }
    }

    /// Days from `earlier` to this day.
    pub(super) fn days_since(self, earlier: Self) -> i64 {
        i64::from(self.0 - earlier.0)
    }

    /// Whole months from `earlier` to this day.
    pub(super) fn months_since(self, earlier: Self) -> i32 {
        let (a, b) = (self.parts(), earlier.parts());
        (a.0 - b.0) * 12 + a.1 - b.1 - i32::from(a.2 < b.2)
    }

    /// Whole years from `earlier` to this day.
    pub(super) fn years_since(self, earlier: Self) -> i32 {
        self.months_since(earlier).div_euclid(12)
    }

    /// The year.
    pub(super) fn year(self) -> i32 {
        self.parts().0
    }

    /// `2024-03-05`.
    pub(super) fn iso(self) -> String {
        let (y, m, d) = self.parts();
        format!("{y:04}-{m:02}-{d:02}")
    }

    /// `2024-03`.
    pub(super) fn iso_month(self) -> String {
        let (y, m, _) = self.parts();
        format!("{y:04}-{m:02}")
    }

    /// `20240305`, as HL7 version 3 documents write it.
    pub(super) fn compact(self) -> String {
        self.iso().replace('-', "")
    }

    /// This day at `minute` minutes after midnight, local time.
    pub(super) fn at(self, minute: i64) -> Moment {
        Moment { day: self, minute }
    }
}

/// A minute of a day in the clinic's local time (US Eastern).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    /// The local day.
    pub(super) day: Day,
    minute: i64,
}

impl Moment {
    /// `minutes` later.
    pub(super) fn plus(self, minutes: i64) -> Self {
        let total = self.minute + minutes;
        Self {
            day: self.day.plus(total.div_euclid(1_440)),
            minute: total.rem_euclid(1_440),
        }
    }

    fn offset_hours(self) -> i64 {
        let (_, month, day) = self.day.parts();
        let summer = (month > 3 && month < 11) || (month == 3 && day >= 14);
        if summer { 4 } else { 5 }
    }

    /// `2024-03-05T09:30:00-05:00`.
    pub(super) fn local(self) -> String {
        let (hour, minute) = (self.minute / 60, self.minute % 60);
        format!(
            "{}T{hour:02}:{minute:02}:00-0{}:00",
            self.day.iso(),
            self.offset_hours()
        )
    }

    /// `2024-03-05T14:30:00.000Z`, the form of `meta.lastUpdated`: sorts as text.
    pub(super) fn utc(self) -> String {
        let there = self.plus(self.offset_hours() * 60);
        format!(
            "{}T{:02}:{:02}:00.000Z",
            there.day.iso(),
            there.minute / 60,
            there.minute % 60
        )
    }
}
