//! What an error tells the worker: a sentence in Chinese, one in English, with the next step.

use std::fmt;

use crate::error::{Anew, BookFault, EnrolFault, Obstacle, PhotoFault, PocketbookError};

#[uniffi::export]
impl PocketbookError {
    /// Returns what to tell the worker: Chinese first, English second, the next step in both. Safe
    /// to show, to log and to send.
    pub fn sentence(&self) -> String {
        self.to_string()
    }
}

impl PocketbookError {
    /// Returns what to tell the worker, in Chinese and in English.
    fn sentences(&self) -> (String, String) {
        let (chinese, english) = match self {
            Self::Retry { why, .. } => why.sentences(),
            Self::Enrol { why } => why.sentences(),
            Self::UpdateApp => (
                "应用版本过旧，请更新应用。",
                "The app is too old; update it.",
            ),
            Self::FreeSpace => (
                "手机存储空间已满，请清理后重试；已保存的内容不受影响。",
                "The phone is full; free some space and try again. What was saved is safe.",
            ),
            Self::CorrectField { field } => {
                let name = field_name(field);
                return (
                    format!("“{name}”填写有误，请改正。"),
                    format!("“{field}” is not right; correct it."),
                );
            }
            Self::ShowAnew { .. } => (
                "这条记录现在不能这样处理，请刷新后再看。",
                "This can't be done to the record as it stands; look at it again.",
            ),
            Self::DoAnew { what } => what.sentences(),
            Self::Unlock => ("已锁定，请先解锁。", "It is locked; unlock it first."),
            Self::NotFound => ("本机没有这条记录。", "It is not on this device."),
            Self::AlreadySent => (
                "已经发出，不能撤回；请用新的修改更正。",
                "It was sent and can't be taken back; correct it by a new change.",
            ),
            Self::PhotoUnusable { why } => return why.sentences(),
            Self::BookDamaged { why } => why.sentences(),
            Self::Closed => (
                "口袋书已关闭，请重新打开。",
                "The book is closed; open it again.",
            ),
            Self::Internal { code } => {
                return (
                    format!("应用出错（{code}），请告知管理员；已保存的内容不受影响。"),
                    format!("The app failed ({code}); tell the operators. What was saved is safe."),
                );
            }
        };
        (chinese.to_owned(), english.to_owned())
    }
}

impl fmt::Display for PocketbookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (chinese, english) = self.sentences();
        write!(f, "{chinese} · {english}")
    }
}

impl Obstacle {
    fn sentences(self) -> (&'static str, &'static str) {
        match self {
            Self::NoNetwork => (
                "没有网络，恢复后会自动同步。",
                "There is no network; syncing goes on when it is back.",
            ),
            Self::NoServer => (
                "暂时连不上服务器，稍后会自动重试。",
                "The server can't be reached; it is tried again later.",
            ),
            Self::BadLine => (
                "网络不稳定，已传的部分有效，稍后会接着传。",
                "The line broke; what arrived counts, the rest follows.",
            ),
            Self::Intercepted => (
                "网络需要先登录认证，请打开浏览器登录或改用移动数据。",
                "The network asks for a sign-in; open the browser or use mobile data.",
            ),
            Self::Untrusted => (
                "对方不是本区的服务器，未发送内容；请更换网络，仍不行请告知管理员。",
                "What answers is not the district's server; use another network or tell the operators.",
            ),
            Self::Busy => ("正忙，请稍后再试。", "It is busy; try again later."),
            Self::ServerFault => (
                "服务器出错，稍后会自动重试。",
                "The server failed; it is tried again later.",
            ),
            Self::PhotoOnItsWay => (
                "照片还在拍摄人的手机上，等他联网上传后再看。",
                "The photo is still on the phone that took it; look again once that was online.",
            ),
            Self::Stopped => (
                "同步已停止，可随时继续。",
                "Syncing was stopped; it can go on at any time.",
            ),
        }
    }
}

impl Anew {
    fn sentences(self) -> (&'static str, &'static str) {
        match self {
            Self::Decision => (
                "裁决不能修改，请放弃这一条，重新裁决待确认事项。",
                "A decision can't be corrected; discard the item and decide the review again.",
            ),
            Self::Deletion => (
                "删除不能修改，请放弃这一条，重新删除该记录。",
                "A deletion can't be corrected; discard the item and delete the record again.",
            ),
        }
    }
}

impl EnrolFault {
    fn sentences(self) -> (&'static str, &'static str) {
        match self {
            Self::NotYet => (
                "本机尚未注册，请用注册码注册。",
                "This device is not enrolled; enrol it with a code.",
            ),
            Self::NotLetIn => (
                "本机的注册已失效，请向社区索取新的注册码；未同步的内容仍在本机。",
                "This device is not let in any more; ask for a new code. Unsent work stays here.",
            ),
            Self::Blocked => (
                "账号已停用，请联系管理员；未同步的内容仍在本机。",
                "The account is blocked; ask the administrator. Unsent work stays here.",
            ),
            Self::UnknownCode => (
                "没有这个注册码，请核对后重新输入。",
                "There is no such code; check it and enter it again.",
            ),
            Self::UsedCode => (
                "注册码已被使用，请索取新的注册码。",
                "The code was used before; ask for a new one.",
            ),
            Self::ExpiredCode => (
                "注册码已过期，请索取新的注册码。",
                "The code is too old; ask for a new one.",
            ),
            Self::NotAnInvitation => (
                "这不是口袋书的邀请码，请扫描管理员出示的二维码。",
                "This is no invitation of Pocketbook's; scan the code that the administrator shows.",
            ),
            Self::DamagedInvitation => (
                "邀请码内容不完整，请重新扫描，仍不行请索取新的邀请码。",
                "The invitation is not whole; scan it again or ask for a new one.",
            ),
            Self::OtherAccount => (
                "这本口袋书属于另一个账号，请为新账号另开一本；原账号未同步的内容仍在本机。",
                "This book is another account's; open one of its own for the new account. Unsent work stays here.",
            ),
        }
    }
}

impl PhotoFault {
    fn sentences(&self) -> (String, String) {
        let (chinese, english) = match self {
            Self::Empty => (
                "照片文件是空的，请重新拍摄。",
                "The file is empty; take the picture again.",
            ),
            Self::Format { name } => {
                return (
                    format!("不支持 {name} 格式，请选 JPEG 或 PNG 照片。"),
                    format!("{name} is not accepted; choose JPEG or PNG."),
                );
            }
            Self::NotAPicture => (
                "这个文件不是照片，请另选。",
                "The file is not a picture; choose another one.",
            ),
            Self::TooLarge => (
                "照片像素过大，请降低分辨率重新拍摄。",
                "It has too many pixels; take it again with a lower resolution.",
            ),
            Self::Damaged => (
                "照片文件已损坏，请重新拍摄。",
                "The file is damaged; take the picture again.",
            ),
        };
        (chinese.to_owned(), english.to_owned())
    }
}

impl BookFault {
    fn sentences(self) -> (&'static str, &'static str) {
        match self {
            Self::Broken => (
                "本机数据库已损坏，请封存后重新注册；原文件会保留。",
                "The database is damaged; set it aside and enrol anew. The file is kept.",
            ),
            Self::WrongKey => (
                "密钥与本机数据库不符，请封存后重新注册；原文件会保留。",
                "The key does not fit the database; set it aside and enrol anew. The file is kept.",
            ),
            Self::NotOurs => (
                "该文件不是口袋书的数据库，请检查存放位置。",
                "The file is not a pocket book; check where it lies.",
            ),
        }
    }
}

/// Returns what workers call a field; a path is called after its field.
fn field_name(path: &str) -> &str {
    match path.split('/').next().unwrap_or(path) {
        "name" => "姓名",
        "phone" => "电话",
        "id_number" => "身份证号",
        "birth" => "出生日期",
        "sex" => "性别",
        "relation" => "与户主关系",
        "household" => "住户",
        "grid" => "网格",
        "place" => "地点",
        "category" => "类别",
        "text" => "情况说明",
        "photos" => "照片",
        "result" => "走访结果",
        "purpose" => "走访目的",
        "note" => "备注",
        "reason" => "原因",
        "server" => "服务器地址",
        "authority" => "服务器证书",
        "server_key" => "服务器公钥",
        field => field,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<PocketbookError> {
        use PocketbookError as E;
        let obstacles = [
            Obstacle::NoNetwork,
            Obstacle::NoServer,
            Obstacle::BadLine,
            Obstacle::Intercepted,
            Obstacle::Untrusted,
            Obstacle::Busy,
            Obstacle::ServerFault,
            Obstacle::PhotoOnItsWay,
            Obstacle::Stopped,
        ];
        let enrols = [
            EnrolFault::NotYet,
            EnrolFault::NotLetIn,
            EnrolFault::Blocked,
            EnrolFault::UnknownCode,
            EnrolFault::UsedCode,
            EnrolFault::ExpiredCode,
            EnrolFault::NotAnInvitation,
            EnrolFault::DamagedInvitation,
            EnrolFault::OtherAccount,
        ];
        let photos = [
            PhotoFault::Empty,
            PhotoFault::Format {
                name: "HEIC".into(),
            },
            PhotoFault::NotAPicture,
            PhotoFault::TooLarge,
            PhotoFault::Damaged,
        ];
        let books = [BookFault::Broken, BookFault::WrongKey, BookFault::NotOurs];
        let mut all = vec![
            E::UpdateApp,
            E::FreeSpace,
            E::field("phone"),
            E::ShowAnew {
                reason: "wrong-state".into(),
            },
            E::Unlock,
            E::NotFound,
            E::AlreadySent,
            E::Closed,
            E::internal("panic"),
        ];
        all.extend([Anew::Decision, Anew::Deletion].map(|what| E::DoAnew { what }));
        all.extend(obstacles.map(E::retry));
        all.extend(enrols.map(|why| E::Enrol { why }));
        all.extend(photos.map(|why| E::PhotoUnusable { why }));
        all.extend(books.map(|why| E::BookDamaged { why }));
        all
    }

    #[test]
    fn every_error_is_a_chinese_and_an_english_sentence_of_its_own() {
        let mut seen = Vec::new();
        for error in all() {
            let text = error.to_string();
            let (chinese, english) = text.split_once(" · ").expect("two sentences");

            assert!(
                chinese.ends_with('。') && chinese.chars().any(|c| c > '\u{4e00}'),
                "{text}"
            );
            assert!(
                english.ends_with('.') && !english.chars().any(|c| c > '\u{4e00}'),
                "{text}"
            );
            assert!(!seen.contains(&text), "{text}");
            seen.push(text);
        }
    }

    #[test]
    fn a_field_is_called_by_the_workers_word() {
        assert!(
            PocketbookError::field("phone")
                .to_string()
                .starts_with("“电话”")
        );
        assert!(
            PocketbookError::field("place/room")
                .to_string()
                .starts_with("“地点”")
        );
    }
}
