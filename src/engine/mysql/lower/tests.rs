//! What statements become.

use super::*;

fn check(sql: &str, parts: &[&str]) {
    let changes = lower(sql);
    let shown: Vec<String> = changes.iter().map(|change| format!("{:?}", change.kind)).collect();
    assert_eq!(shown.len(), parts.len(), "{sql}: {shown:#?}");
    for (kind, part) in shown.iter().zip(parts) {
        let kind = kind.replace("Name(\"", "").replace("\")", "");
        assert!(kind.contains(part), "{sql}: no {part} in {kind}");
    }
}

#[test]
fn tables_with_keys_and_options() {
    let changes = lower(
        "create table `t` (`id` int(11) unsigned not null auto_increment, a varchar(64) binary character set utf8mb4 collate 'x' default 'b' comment 'c', \
         b timestamp null default current_timestamp on update current_timestamp, e enum('x','y'), primary key (`id`), unique key u (a(10)), \
         key k using btree (b desc), constraint f foreign key (id) references o (id) on delete set null) engine=InnoDB default charset=utf8 comment='d'",
    );
    let ChangeKind::CreateTable(create) = &changes[0].kind else { panic!("{changes:?}") };
    assert_eq!((create.columns.len(), create.constraints.len(), create.indexes.len()), (4, 3, 1));
    assert_eq!(create.columns[0].data_type.as_ref().unwrap().to_string(), "int(11) unsigned");
    assert_eq!(create.columns[3].data_type.as_ref().unwrap().arguments, ["x", "y"]);
    assert!(create.columns[2].on_update.is_some());
    assert_eq!(create.options[0], ("engine".to_owned(), "InnoDB".to_owned()));
}

#[test]
fn what_a_general_parser_misses() {
    check("ALTER TABLE a CONVERT TO CHARACTER SET utf8 COLLATE utf8_unicode_ci", &["ConvertCharset"]);
    check("ALTER TABLE a ROW_FORMAT=DYNAMIC, ALGORITHM=INPLACE, LOCK=NONE", &["algorithm: Some(\"INPLACE"]);
    check(
        "alter table a drop key k, add column (b bigint, c int), rename d",
        &["DropIndex", "AddColumn", "AddColumn", "RenameTable"],
    );
    check("alter table a change b c varchar(1) not null after d, modify e int first", &["After(d", "First"]);
    check("rename table if exists a to b, c to d.e", &["RenameTable", "part: (1, 2)"]);
    check("update a p, b l set p.x = 0 where l.i = p.i", &["table: TableName { schema: None, name: a"]);
    check("set @a := 1, global b = 2", &["UserVariable", "Server"]);
    check("create fulltext index i on t (a, b)", &["method: Some(\"fulltext"]);
    check("alter ignore table a rename column b to c", &["RenameColumn"]);
    check("alter table a nonsense", &["Opaque"]);
}

#[test]
fn programs_are_looked_into() {
    let changes = lower(
        "create procedure p(in a int) begin if a > 0 then drop table x; end if; alter table y add z int; execute s; end",
    );
    let ChangeKind::CreateRoutine(routine) = &changes[0].kind else { panic!("{changes:?}") };
    let shown: Vec<bool> = routine.body.changes.iter().map(|change| change.via.is_conditional()).collect();
    assert_eq!(shown, [true, false, false]);
    assert_eq!(routine.body.dynamic.len(), 1);
}
