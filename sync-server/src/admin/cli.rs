//! The command line, Chinese first: what an operator types, and how an answer looks in a terminal.

#![expect(
    clippy::print_stdout,
    reason = "the answer of a command line goes to standard output"
)]

use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use pocketbook_records::ids::{BlobHash, Hex, UnitId};
use pocketbook_records::invitation::Trust;
use pocketbook_records::rights::Role;
use pocketbook_records::time::Millis;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::wire::Command;

/// 口袋书服务器：区里网格数据的同步中心 · The district's Pocketbook server
#[derive(Debug, Parser)]
#[command(name = "pocketbook-server", version, max_term_width = 100)]
pub struct Cli {
    /// 数据目录 · The data directory
    #[arg(long, global = true, env = "POCKETBOOK_DIR", value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// 做什么 · What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// 新建数据目录 · Make a new data directory
    Init {
        /// 数据目录，同 --dir · The data directory, like --dir
        #[arg(value_name = "DIR")]
        at: Option<PathBuf>,
        /// 区划代码，如 610402 · The district's code
        #[arg(long, value_name = "CODE")]
        district_code: String,
        /// 区名 · The district's name
        #[arg(long, value_name = "NAME")]
        district_name: String,
    },
    /// 启动服务 · Serve phones and desks
    Serve(Serve),
    /// 导入组织架构、工作人员与职责（可重复执行）· Take units, workers and duties; may be repeated
    ImportOrg {
        /// JSON 文件 · A JSON file
        file: PathBuf,
    },
    /// 导入户档案与人员（每行一户，可重复执行）· Take household files, one a line; may be repeated
    ImportPeople {
        /// NDJSON 文件 · An NDJSON file
        file: PathBuf,
    },
    /// 把户档案迁到另一个网格（拆分、合并网格）· Move households to another grid: to split or merge
    MoveHouseholds {
        /// 原网格代码 · Code of the grid that they lie in
        #[arg(long, value_name = "GRID")]
        from: String,
        /// 新网格代码 · Code of the grid that they go to
        #[arg(long, value_name = "GRID")]
        to: String,
        /// 户编号文件，每行一个 · A file of household ids, one a line
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        file: Option<PathBuf>,
        /// 全部迁移 · All of them
        #[arg(long)]
        all: bool,
    },
    /// 发布口袋书（只有改动的部分会变成新版本）· Publish the pocket book; only what changed is new
    PublishBook {
        /// 含 district/、street/、community/ 的文件夹 · A folder of layers
        folder: PathBuf,
    },
    /// 新建账号 · Open an account
    AddUser {
        /// 登录名 · What the person types
        #[arg(long)]
        login: String,
        /// 姓名 · The person's name
        #[arg(long)]
        name: String,
        /// 工号 · The staff number
        #[arg(long)]
        number: Option<String>,
        /// 从标准输入读取工作台密码 · Read the desk's password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// 授予职责 · Give a duty
    Grant {
        /// 登录名 · Login of the account
        user: String,
        /// 角色，如 grid-worker、grid-head、street-desk、handler · The role
        #[arg(value_parser = role)]
        role: Role,
        /// 单位代码 · Code of the unit
        unit: String,
        /// 开始日期 YYYY-MM-DD，默认现在 · First day
        #[arg(long, value_parser = day, value_name = "DAY")]
        from: Option<Millis>,
        /// 结束日期 YYYY-MM-DD，当天不含 · Ends when this day begins
        #[arg(long, value_parser = day, value_name = "DAY")]
        until: Option<Millis>,
    },
    /// 即刻收回职责 · End a duty now
    Revoke {
        /// 登录名 · Login of the account
        user: String,
        /// 角色，如 grid-worker、grid-head、street-desk、handler · The role
        #[arg(value_parser = role)]
        role: Role,
        /// 单位代码 · Code of the unit
        unit: String,
    },
    /// 生成一次性注册码（24 小时有效，终端显示二维码）· Make a one-time code for a phone, as a QR
    EnrolCode {
        /// 登录名 · Login of the account
        user: String,
        /// 手机访问的服务器地址，默认同 serve · The address that the phone reaches; `serve`'s if not given
        #[arg(long, env = "POCKETBOOK_URL", value_name = "URL")]
        url: Option<String>,
        /// 服务器公钥（SPKI）的 SHA-256，默认同 serve · SHA-256 of the server's public key (SPKI)
        #[arg(long, value_name = "HEX", value_parser = pin, conflicts_with = "ca")]
        pin: Option<Trust>,
        /// 签发服务器证书的机构证书（PEM）· Certificate of the authority that signed the server's
        #[arg(long, value_name = "FILE")]
        ca: Option<PathBuf>,
    },
    /// 停用账号：不能再读，已做的工作照收 · Block an account: it reads nothing, its work is taken
    Block {
        /// 登录名 · Login of the account
        user: String,
    },
    /// 恢复账号 · Unblock an account
    Unblock {
        /// 登录名 · Login of the account
        user: String,
    },
    /// 备份到新文件夹（不含密钥，密钥请另行保管）· Back up into a new folder, without the keys
    Backup {
        /// 新文件夹 · A folder that does not exist yet
        folder: PathBuf,
    },
    /// 从备份恢复（先停止服务；备份之后的工作由手机补回）· Restore a backup; stop the server first
    Restore {
        /// 备份文件夹 · A folder that `backup` made
        folder: PathBuf,
    },
    /// 检查数据目录 · Look for what is wrong or will be
    Doctor,
}

/// How to serve.
#[derive(Debug, Args)]
pub struct Serve {
    /// 数据目录，同 --dir · The data directory, like --dir
    #[arg(value_name = "DIR")]
    pub at: Option<PathBuf>,
    /// 监听地址；端口 0 表示任选 · The address; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8420", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// 证书链（PEM）· The certificate chain (PEM)
    #[arg(long, requires = "key", value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// 私钥（PEM）· Its key (PEM)
    #[arg(long, requires = "cert", value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// 手机访问的地址，如 `https://pocketbook.example:8420` · The address that phones reach
    #[arg(long, env = "POCKETBOOK_URL", value_name = "URL")]
    pub url: Option<String>,
    /// 前面有负责加密的反向代理 · A proxy in front of it does the encryption
    #[arg(long, conflicts_with = "cert")]
    pub behind_proxy: bool,
    /// 以 JSON 输出日志 · Write the log as JSON
    #[arg(long)]
    pub log_json: bool,
}

fn role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|_| {
        format!(
            "没有这个角色 · one of {}",
            Role::ALL.map(Role::name).join(", ")
        )
    })
}

fn pin(text: &str) -> Result<Trust, String> {
    let hash: Result<BlobHash, _> = text.replace(':', "").to_ascii_lowercase().parse();
    hash.map(|hash| Trust::Key(Hex(hash.0)))
        .map_err(|_| "公钥的 SHA-256 是 64 位十六进制 · a SHA-256 is 64 hex digits".to_owned())
}

fn authority(file: &Path) -> io::Result<Trust> {
    let read = CertificateDer::from_pem_file(file).map_err(io::Error::other)?;
    Ok(Trust::Authority(read.to_vec()))
}

/// A day begins at midnight in China, which knows no summer time.
fn day(text: &str) -> Result<Millis, String> {
    const CHINA_MS: Millis = 8 * 60 * 60 * 1000;
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map_err(|_| "日期写作 2026-11-25 · a day is written 2026-11-25".to_owned())?;
    let midnight = day.and_time(chrono::NaiveTime::MIN).and_utc();
    Ok(midnight.timestamp_millis() - CHINA_MS)
}

/// What the rest of an action amounts to: a command and its input.
pub(super) struct Asked {
    pub(super) command: Command,
    pub(super) input: Input,
}

/// Where a command's input comes from.
pub(super) enum Input {
    None,
    /// The whole file as one line.
    Whole(PathBuf),
    /// A file's lines.
    Lines(PathBuf),
    /// A folder of layers.
    Book(PathBuf),
}

impl Action {
    /// Turns everything but `init` and `serve` into a command.
    pub(super) fn into_asked(self) -> io::Result<Option<Asked>> {
        let plain = |command| Asked {
            command,
            input: Input::None,
        };
        Ok(Some(match self {
            Self::Init { .. } | Self::Serve(_) | Self::Restore { .. } => return Ok(None),
            Self::ImportOrg { file } => Asked {
                input: Input::Whole(file),
                ..plain(Command::ImportOrg)
            },
            Self::ImportPeople { file } => Asked {
                input: Input::Lines(file),
                ..plain(Command::ImportPeople)
            },
            Self::MoveHouseholds {
                from,
                to,
                file,
                all,
            } => Asked {
                input: file.map_or(Input::None, Input::Lines),
                ..plain(Command::MoveHouseholds {
                    from: UnitId(from),
                    to: UnitId(to),
                    all,
                })
            },
            Self::PublishBook { folder } => Asked {
                input: Input::Book(folder),
                ..plain(Command::PublishBook)
            },
            Self::AddUser {
                login,
                name,
                number,
                password_stdin,
            } => plain(Command::AddUser {
                login,
                name,
                number,
                password: password(password_stdin)?,
            }),
            Self::Grant {
                user,
                role,
                unit,
                from,
                until,
            } => plain(Command::Grant {
                user,
                role,
                unit,
                from,
                until,
            }),
            Self::Revoke { user, role, unit } => plain(Command::Revoke { user, role, unit }),
            Self::EnrolCode { user, url, pin, ca } => plain(Command::EnrolCode {
                user,
                url,
                trust: match ca {
                    Some(file) => Some(authority(&file)?),
                    None => pin,
                },
            }),
            Self::Block { user } => plain(Command::Block { user }),
            Self::Unblock { user } => plain(Command::Unblock { user }),
            // The server that makes it may stand in another folder than the operator.
            Self::Backup { folder } => plain(Command::Backup {
                folder: std::path::absolute(folder)?,
            }),
            Self::Doctor => plain(Command::Doctor),
        }))
    }
}

/// Asks for the desk's password; nothing typed, or nobody to ask, means a phone-only account.
fn password(from_stdin: bool) -> io::Result<Option<String>> {
    let typed = if from_stdin {
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    } else if io::stdin().is_terminal() {
        rpassword::prompt_password("工作台密码，只用手机则留空 · Desk password, empty for none: ")?
    } else {
        String::new()
    };
    Ok(Some(typed).filter(|typed| !typed.is_empty()))
}

/// Writes a line to standard output.
pub(super) fn say(line: impl std::fmt::Display) {
    println!("{line}");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_day_begins_at_midnight_in_china() {
        assert_eq!(day("1970-01-01"), Ok(-8 * 60 * 60 * 1000));
        assert!(day("1970-1").is_err());
    }
}
