//! The words of refusals: for each, its status, its stable name and its sentence, Chinese first.

use pocketbook_records::receipt::Reason;

use super::problem::Shown;
use crate::Refusal;
use crate::blobs::BlobError;
use crate::desk::session::SignInError;
use crate::enrol::EnrolError;

/// Status, stable name, sentence.
pub(super) type Word = (u16, &'static str, &'static str);

impl Shown {
    /// Returns the words of a refusal; the one place that knows them.
    pub(super) fn word(&self) -> Word {
        match self {
            Self::Core(refusal) => core_word(refusal),
            Self::BadShape { .. } => (
                400,
                "malformed",
                "请求内容不完整或格式不对，请更新应用后重试 · The content is cut or not of the right shape: update the app and try again",
            ),
            Self::NotJson => (
                415,
                "not-json",
                "请求内容应为 application/json · Send application/json",
            ),
            Self::NotOctets => (
                415,
                "not-octets",
                "请求内容应为 application/offset+octet-stream · Send application/offset+octet-stream",
            ),
            Self::BadGzip => (
                400,
                "bad-gzip",
                "压缩内容已损坏，请重新发送 · The packed content is damaged: send it again",
            ),
            Self::UnknownEncoding => (
                415,
                "unknown-encoding",
                "只支持 gzip 压缩 · Only gzip is taken",
            ),
            Self::BodyCut => (
                400,
                "body-cut",
                "内容没有收全，请重新发送 · The content did not arrive whole: send it again",
            ),
            Self::TooLarge { .. } => (
                413,
                "too-large",
                "内容超过上限，请分批发送 · The content is over the limit: send less at a time",
            ),
            Self::NoSuchAddress => (
                404,
                "no-such-address",
                "没有这个地址，接口说明见 /docs · There is no such address, see /docs",
            ),
            Self::WrongMethod => (
                405,
                "wrong-method",
                "这个地址不支持该方法，接口说明见 /docs · This address takes another method, see /docs",
            ),
            Self::Overloaded => (
                503,
                "overloaded",
                "服务器忙，稍后会自动重试 · The server is busy: try again later",
            ),
            Self::Panicked => (
                500,
                "server-fault",
                "服务器内部出错，已记录；稍后会自动重试 · The server failed and has noted it: try again later",
            ),
            Self::TooMany { .. } => (
                429,
                "too-many",
                "尝试次数过多，请稍候再试 · Too many failures: wait before the next try",
            ),
            Self::Enrol(error) => enrol_word(error),
            Self::SignIn(error) => sign_in_word(error),
            Self::TusVersion => (
                412,
                "tus-version",
                "请使用 Tus-Resumable: 1.0.0 · Send Tus-Resumable: 1.0.0",
            ),
            Self::BadHeader(_) => (
                400,
                "bad-header",
                "请求头缺失或不对，接口说明见 /docs · A header is missing or wrong, see /docs",
            ),
            Self::BadQuery => (
                400,
                "bad-query",
                "查询参数不对，接口说明见 /docs · A parameter of the query is wrong, see /docs",
            ),
            Self::Blob(error) => blob_word(error),
            Self::Book(_) => FILES_UNREACHABLE,
        }
    }
}

const DISK_FULL: Word = (
    503,
    "disk-full",
    "服务器磁盘已满，数据留在手机上，请通知管理员 · The server's disk is full; nothing is lost on the phone: tell the administrator",
);

const FILES_UNREACHABLE: Word = (
    503,
    "files-unreachable",
    "文件暂时无法存取，稍后会自动重试 · Files can't be reached: try again later",
);

fn enrol_word(error: &EnrolError) -> Word {
    match error {
        EnrolError::Unknown => (
            404,
            "code-unknown",
            "没有这个注册码，请核对后重新扫描 · There is no such code: check it and scan again",
        ),
        EnrolError::Used => (
            403,
            "code-used",
            "注册码已被使用，请向管理员索取新码 · The code was used: ask for a new one",
        ),
        EnrolError::Expired => (
            410,
            "code-expired",
            "注册码已过期，请向管理员索取新码 · The code has expired: ask for a new one",
        ),
        EnrolError::Blocked => core_word(&Refusal::Locked),
        EnrolError::Refused(refusal) => core_word(refusal),
    }
}

fn sign_in_word(error: &SignInError) -> Word {
    match error {
        SignInError::Wrong => (
            401,
            "wrong-password",
            "登录名或密码不对 · Login or password is wrong",
        ),
        SignInError::Wait { .. } => (
            429,
            "sign-in-locked",
            "密码多次输错，账号暂时锁定，请稍候再试 · Too many wrong passwords: wait before the next try",
        ),
        SignInError::Refused(refusal) => core_word(refusal),
    }
}

fn blob_word(error: &BlobError) -> Word {
    match error {
        BlobError::NoUpload => (
            404,
            "no-upload",
            "没有这个上传，请重新开始 · There is no such upload: begin it anew",
        ),
        BlobError::WrongOffset { .. } => (
            409,
            "wrong-offset",
            "续传位置不对，请先查询 Upload-Offset · Wrong offset: ask for Upload-Offset first",
        ),
        BlobError::Empty => (
            400,
            "empty-upload",
            "文件是空的，请重新拍照或选择 · The file is empty: take or choose it again",
        ),
        BlobError::HashMismatch => (
            460,
            "hash-mismatch",
            "文件与校验值不符，将重新上传 · The file does not match its hash: upload it anew",
        ),
        BlobError::NotFound => core_word(&Refusal::NotFound),
        BlobError::TooLarge => (
            413,
            "too-large",
            "文件超过 32 MB，请压缩后上传 · The file is over 32 MB: make it smaller",
        ),
        BlobError::LongerThanAnnounced => (
            413,
            "longer-than-announced",
            "内容超过申报的长度，请重新上传 · More bytes than announced: begin the upload anew",
        ),
        BlobError::Cut => (
            400,
            "body-cut",
            "内容没有收全，请续传 · The content did not arrive whole: go on at the offset",
        ),
        BlobError::BadRange { .. } => (
            416,
            "bad-range",
            "请求的范围不在文件内 · The range is not in the file",
        ),
        BlobError::Spool(error) if is_full(error) => DISK_FULL,
        BlobError::Spool(_) | BlobError::Store(_) => FILES_UNREACHABLE,
        BlobError::Refused(refusal) => core_word(refusal),
    }
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
    )
}

fn core_word(refusal: &Refusal) -> Word {
    match refusal {
        Refusal::UnknownCaller => (
            401,
            "unknown-caller",
            "设备未注册或凭证不对，请重新注册；未同步的数据仍在手机上 · The device is not known here: enrol again; unsynced work stays on the phone",
        ),
        Refusal::SessionExpired => (
            401,
            "session-expired",
            "登录已过期，请重新登录 · The session is over: sign in again",
        ),
        Refusal::Locked => (
            403,
            "locked",
            "账号已停用，请联系管理员 · The account is blocked: ask the administrator",
        ),
        Refusal::NotFound => (
            404,
            "not-found",
            "没有找到，或不在您的职责范围内 · Not found among what you may see",
        ),
        Refusal::Malformed(_) => (
            400,
            "malformed",
            "请求格式不对，请更新应用后重试 · The request is not of the right shape: update the app and try again",
        ),
        Refusal::Protocol => (
            400,
            "protocol",
            "应用版本与服务器不兼容，请更新应用 · App and server have no protocol in common: update the app",
        ),
        Refusal::TooLarge => (
            413,
            "too-large",
            "内容超过上限，请分批发送 · The content is over the limit: send less at a time",
        ),
        Refusal::MidReused => (
            409,
            "mid-reused",
            "操作编号已被用于其他内容，请重新提交 · The step's name was used for something else: begin it anew",
        ),
        Refusal::NotTaken(reason) => not_taken(reason),
        Refusal::Unavailable(fault) if fault.is_disk_full() => DISK_FULL,
        Refusal::Unavailable(_) => (
            503,
            "unavailable",
            "服务器暂时无法写入，稍后会自动重试 · The server can't write now: try again later",
        ),
    }
}

fn not_taken(reason: &Reason) -> Word {
    match reason {
        Reason::NotYours => (
            404,
            "not-found",
            "没有找到，或不在您的职责范围内 · Not found among what you may see",
        ),
        Reason::NotPermitted | Reason::OutsideDuty => (
            403,
            "not-permitted",
            "这一步应由其他人办理 · This step is another person's to do",
        ),
        Reason::WrongState | Reason::Stale | Reason::Gone => (
            409,
            "moved-on",
            "事项状态已变化，请刷新后再办 · It has moved on: look again before the next step",
        ),
        Reason::UnknownCommand => (
            404,
            "unknown-command",
            "没有这个操作 · There is no such step",
        ),
        Reason::Missing(_) => (
            422,
            "missing",
            "缺少必填内容，请补充后提交 · Something required is missing: add it and submit again",
        ),
        _ => (
            422,
            "not-taken",
            "内容不符合要求，请修改后提交 · The content does not fit: correct it and submit again",
        ),
    }
}
