//! The site in the database: one row, which is there from the first edit on.

use diesel::prelude::*;

use super::{
    conn::{Db, on_either},
    from_json,
    schema::site,
    to_json,
};
use crate::domain::{
    error::Error,
    instant::Instant,
    site::{Permalink, Site},
};

/// The id of the only row.
const ID: i64 = 1;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = site, treat_none_as_null = true)]
struct SiteRow {
    id: i64,
    name: String,
    tagline: Option<String>,
    url: String,
    language: String,
    time_zone: String,
    permalink: String,
    navigation: String,
    version: i64,
    updated_at: i64,
    confirm_warnings: bool,
    second_factor_roles: String,
    paywall_selector: Option<String>,
}

impl TryFrom<SiteRow> for Site {
    type Error = Error;

    fn try_from(row: SiteRow) -> Result<Self, Error> {
        Ok(Self {
            name: row.name,
            tagline: row.tagline,
            url: row.url,
            language: row.language,
            time_zone: row.time_zone,
            permalink: Permalink::from_stored(row.permalink),
            navigation: from_json("site.navigation", &row.navigation)?,
            version: row.version,
            confirm_warnings: row.confirm_warnings,
            second_factor_roles: from_json("site.second_factor_roles", &row.second_factor_roles)?,
            paywall_selector: row.paywall_selector,
            updated_at: Instant::from_millis(row.updated_at),
        })
    }
}

impl TryFrom<&Site> for SiteRow {
    type Error = Error;

    fn try_from(site: &Site) -> Result<Self, Error> {
        Ok(Self {
            id: ID,
            name: site.name.clone(),
            tagline: site.tagline.clone(),
            url: site.url.clone(),
            language: site.language.clone(),
            time_zone: site.time_zone.clone(),
            permalink: site.permalink.as_str().to_owned(),
            navigation: to_json(&site.navigation)?,
            version: site.version,
            updated_at: site.updated_at.millis(),
            confirm_warnings: site.confirm_warnings,
            second_factor_roles: to_json(&site.second_factor_roles)?,
            paywall_selector: site.paywall_selector.clone(),
        })
    }
}

/// The site; the default if nobody has edited it yet.
pub fn get(db: &mut Db) -> Result<Site, Error> {
    let row = site::table.find(ID).select(SiteRow::as_select()).first(db).optional()?;
    row.map_or_else(|| Ok(Site::default()), Site::try_from)
}

/// Writes the site over the version before; false if that has been changed by somebody else.
pub fn update(db: &mut Db, new: &Site) -> Result<bool, Error> {
    let default = SiteRow::try_from(&Site::default())?;
    on_either!(&mut *db, conn => diesel::insert_into(site::table).values(default).on_conflict_do_nothing().execute(conn))?;
    let target = site::table.find(ID).filter(site::version.eq(new.version - 1));
    Ok(diesel::update(target).set(SiteRow::try_from(new)?).execute(db)? == 1)
}
