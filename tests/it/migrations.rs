//! Migrations go up, down and up again without a difference, and make the same schema on both databases.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query,
    sql_types::{Bool, Text},
};
use masthead::store::{
    conn::Db,
    migrations::{revert_all, run},
};

use crate::postgres;

#[derive(Debug, PartialEq, Eq, QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    owner: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    required: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, QueryableByName)]
struct Index {
    #[diesel(sql_type = Text)]
    owner: String,
    /// Empty for that of a constraint.
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    columns: String,
    #[diesel(sql_type = Bool)]
    is_unique: bool,
    #[diesel(sql_type = Bool)]
    is_partial: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Schema {
    /// Table, column: type, whether it is NOT NULL.
    columns: BTreeMap<(String, String), (String, bool)>,
    indexes: BTreeSet<Index>,
}

impl Schema {
    fn of(db: &mut Db) -> Self {
        let (columns, indexes): (Vec<Column>, Vec<Index>) = match db {
            Db::Sqlite(conn) => {
                (sql_query(SQLITE_COLUMNS).load(conn).unwrap(), sql_query(SQLITE_INDEXES).load(conn).unwrap())
            }
            Db::Postgres(conn) => (
                sql_query(POSTGRES_COLUMNS).load(conn).unwrap(),
                sql_query(POSTGRES_INDEXES).load(conn).unwrap(),
            ),
        };
        let columns =
            columns.into_iter().map(|column| ((column.owner, column.name), (column.kind, column.required)));
        Self { columns: columns.collect(), indexes: indexes.into_iter().collect() }
    }
}

// The full-text index itself, search_text, is each database's own.

const SQLITE_COLUMNS: &str = r#"
    SELECT t.name AS owner, c.name AS name, lower(c.type) AS kind, c."notnull" OR c.pk > 0 AS required
    FROM sqlite_master t, pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.name NOT LIKE '\_\_diesel%' ESCAPE '\' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE 'search\_text%' ESCAPE '\'"#;

const SQLITE_INDEXES: &str = r#"
    SELECT t.name AS owner, CASE i.origin WHEN 'c' THEN i.name ELSE '' END AS name, i."unique" AS is_unique,
        i.partial AS is_partial,
        (SELECT group_concat(coalesce(x.name, '(expression)') || CASE x."desc" WHEN 1 THEN ' desc' ELSE '' END, ',')
         FROM (SELECT * FROM pragma_index_xinfo(i.name) WHERE key = 1 ORDER BY seqno) x) AS columns
    FROM sqlite_master t, pragma_index_list(t.name) i
    WHERE t.type = 'table' AND t.name NOT LIKE '\_\_diesel%' ESCAPE '\' AND i.origin <> 'pk'
    UNION ALL
    SELECT t.name, '', 1, 0, (SELECT group_concat(k.name, ',')
        FROM (SELECT * FROM pragma_table_info(t.name) WHERE pk > 0 ORDER BY pk) k)
    FROM sqlite_master t
    WHERE t.type = 'table' AND t.name NOT LIKE '\_\_diesel%' ESCAPE '\' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE 'search\_text%' ESCAPE '\'"#;

const POSTGRES_COLUMNS: &str = r"
    SELECT table_name::text AS owner, column_name::text AS name, data_type::text AS kind, is_nullable = 'NO' AS required
    FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name NOT LIKE '\_\_diesel%'
        AND table_name <> 'search_text'";

const POSTGRES_INDEXES: &str = r"
    SELECT t.relname::text AS owner,
        CASE WHEN EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = x.indexrelid AND c.contype IN ('p', 'u'))
            THEN '' ELSE i.relname::text END AS name,
        x.indisunique AS is_unique, x.indpred IS NOT NULL AS is_partial,
        (SELECT string_agg(coalesce(a.attname::text, '(expression)')
                || CASE WHEN x.indoption[k.n - 1] & 1 = 1 THEN ' desc' ELSE '' END, ',' ORDER BY k.n)
         FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (number, n)
         LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number AND k.number > 0) AS columns
    FROM pg_index x
    JOIN pg_class t ON t.oid = x.indrelid
    JOIN pg_class i ON i.oid = x.indexrelid
    WHERE t.relnamespace = 'public'::regnamespace AND t.relname NOT LIKE '\_\_diesel%'
        AND t.relname <> 'search_text'";

fn sqlite() -> Db {
    Db::Sqlite(SqliteConnection::establish(":memory:").unwrap())
}

/// Up, down, up.
fn check_round_trip(db: &mut Db) {
    assert!(!run(db).unwrap().is_empty(), "an empty database needs migrations");
    let first = Schema::of(db);
    assert!(!first.columns.is_empty());
    assert!(run(db).unwrap().is_empty(), "a second run finds nothing to do");
    revert_all(db).unwrap();
    let reverted = Schema::of(db);
    assert!(reverted.columns.is_empty() && reverted.indexes.is_empty(), "down.sql leaves {reverted:#?}");
    run(db).unwrap();
    assert_eq!(Schema::of(db), first);
}

#[test]
fn sqlite_goes_up_down_and_up() {
    check_round_trip(&mut sqlite());
}

#[test]
fn postgres_goes_up_down_and_up() {
    let Some(server) = postgres::any() else { return };
    let database = postgres::Database::create(server);
    check_round_trip(&mut Db::Postgres(PgConnection::establish(&database.url()).unwrap()));
}

#[test]
fn both_databases_have_one_schema() {
    let Some(server) = postgres::any() else { return };
    let database = postgres::Database::create(server);
    let mut dbs = [sqlite(), Db::Postgres(PgConnection::establish(&database.url()).unwrap())];
    let [sqlite, postgres] = dbs.each_mut().map(|db| {
        run(db).unwrap();
        Schema::of(db)
    });
    // Types have other names; that they fit is seen in every query. What may be null must be the same.
    let required = |schema: &Schema| -> Vec<_> {
        schema.columns.iter().map(|(column, (_, required))| (column.clone(), *required)).collect()
    };
    assert_eq!(required(&sqlite), required(&postgres));
    let only =
        |a: &Schema, b: &Schema| format!("{:#?}", a.indexes.difference(&b.indexes).collect::<Vec<_>>());
    assert!(
        sqlite.indexes == postgres.indexes,
        "indexes of SQLite alone: {}\nof PostgreSQL alone: {}",
        only(&sqlite, &postgres),
        only(&postgres, &sqlite)
    );
}

/// Else `PRAGMA integrity_check` of SQLite before 3.41, which operators may have at hand, finds faults that are none.
#[test]
fn keys_come_first_in_the_tables_that_are_their_index() {
    #[derive(QueryableByName)]
    struct Misplaced {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let mut db = sqlite();
    run(&mut db).unwrap();
    let Db::Sqlite(conn) = &mut db else { unreachable!() };
    let misplaced: Vec<Misplaced> = sql_query(
        "SELECT t.name AS name FROM pragma_table_list AS t, pragma_table_info(t.name) AS c \
         WHERE t.wr AND t.type = 'table' AND c.pk > 0 GROUP BY t.name HAVING max(c.cid) >= count(*)",
    )
    .load(conn)
    .unwrap();
    let misplaced: Vec<_> = misplaced.into_iter().map(|table| table.name).collect();
    assert_eq!(misplaced, [""; 0]);
}
