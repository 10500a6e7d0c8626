//! What a column holds and a statement binds, told apart for both engines: bigint, text, bytes.

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};
use uuid::Uuid;

use pocketbook_records::ids::{
    BlobHash, Commit, EnrolmentId, Epoch, Hex, Mid, Mseq, RecordId, UnitId, UserId,
};

use super::SqlError;

/// One value bound to a statement.
#[derive(Debug, Clone, Copy)]
pub enum Param<'a> {
    /// Absent.
    Null,
    /// A bigint.
    Int(i64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A type that can be bound to a statement.
pub trait Bind {
    /// Returns its value.
    fn param(&self) -> Param<'_>;
}

macro_rules! bind {
    ($($type:ty => |$value:ident| $param:expr;)*) => {
        $(impl Bind for $type {
            fn param(&self) -> Param<'_> {
                let $value = self;
                $param
            }
        })*
    };
}

bind! {
    i64 => |n| Param::Int(*n);
    bool => |yes| Param::Int(i64::from(*yes));
    u16 => |n| Param::Int(i64::from(*n));
    u32 => |n| Param::Int(i64::from(*n));
    u64 => |n| Param::Int(n.cast_signed());
    str => |text| Param::Text(text);
    String => |text| Param::Text(text);
    UnitId => |unit| Param::Text(&unit.0);
    [u8] => |bytes| Param::Bytes(bytes);
    Vec<u8> => |bytes| Param::Bytes(bytes);
    [u8; 16] => |bytes| Param::Bytes(bytes);
    [u8; 32] => |bytes| Param::Bytes(bytes);
    Hex<8> => |bytes| Param::Bytes(&bytes.0);
    RecordId => |id| Param::Bytes(id.as_bytes());
    Mid => |id| Param::Bytes(id.as_bytes());
    EnrolmentId => |id| Param::Bytes(id.as_bytes());
    UserId => |id| Param::Bytes(id.as_bytes());
    BlobHash => |hash| Param::Bytes(&hash.0);
    Epoch => |epoch| Param::Int(i64::from(epoch.0));
    Commit => |commit| Param::Int(commit.0.cast_signed());
    Mseq => |mseq| Param::Int(mseq.0.cast_signed());
}

impl<T: Bind + ?Sized> Bind for &T {
    fn param(&self) -> Param<'_> {
        (**self).param()
    }
}

impl<T: Bind> Bind for Option<T> {
    fn param(&self) -> Param<'_> {
        self.as_ref().map_or(Param::Null, Bind::param)
    }
}

/// Binds values of different types in order.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::store::Bind::param(&$value)),*] };
}

/// A type that a column can be read as.
pub trait Column: Sized {
    /// Reads it, or says what the column should have held.
    fn read(value: ValueRef<'_>) -> Result<Self, SqlError>;
}

macro_rules! columns {
    ($($type:ty, $what:literal, |$value:ident| $read:expr;)*) => {
        $(impl Column for $type {
            fn read($value: ValueRef<'_>) -> Result<Self, SqlError> {
                $read.ok_or(SqlError::Stored($what))
            }
        })*
    };
}

columns! {
    i64, "an integer", |value| value.as_i64().ok();
    bool, "a flag", |value| value.as_i64().ok().map(|n| n != 0);
    u16, "a small integer", |value| value.as_i64().ok().and_then(|n| n.try_into().ok());
    u32, "a small integer", |value| value.as_i64().ok().and_then(|n| n.try_into().ok());
    u64, "a count", |value| value.as_i64().ok().and_then(|n| n.try_into().ok());
    String, "text", |value| value.as_str().ok().map(str::to_owned);
    Vec<u8>, "bytes", |value| value.as_blob().ok().map(<[u8]>::to_vec);
    [u8; 16], "sixteen bytes", |value| value.as_blob().ok().and_then(|b| b.try_into().ok());
    Hex<8>, "eight bytes", |value| value.as_blob().ok().and_then(|b| b.try_into().ok()).map(Self);
    [u8; 32], "a hash", |value| value.as_blob().ok().and_then(|b| b.try_into().ok());
    UnitId, "a unit", |value| value.as_str().ok().map(UnitId::from);
    RecordId, "a record id", |value| uuid(value).map(Self);
    Mid, "a mutation id", |value| uuid(value).map(Self);
    EnrolmentId, "an enrolment id", |value| uuid(value).map(Self);
    UserId, "a user id", |value| uuid(value).map(Self);
    BlobHash, "a hash", |value| value.as_blob().ok().and_then(|b| b.try_into().ok()).map(Self);
    Epoch, "an epoch", |value| value.as_i64().ok().and_then(|n| n.try_into().ok()).map(Self);
    Commit, "a commit", |value| value.as_i64().ok().map(|n| Self(n.cast_unsigned()));
    Mseq, "a place", |value| value.as_i64().ok().map(|n| Self(n.cast_unsigned()));
}

fn uuid(value: ValueRef<'_>) -> Option<Uuid> {
    value.as_blob().ok().and_then(|b| Uuid::from_slice(b).ok())
}

impl<T: Column> Column for Option<T> {
    fn read(value: ValueRef<'_>) -> Result<Self, SqlError> {
        match value {
            ValueRef::Null => Ok(None),
            value => T::read(value).map(Some),
        }
    }
}
