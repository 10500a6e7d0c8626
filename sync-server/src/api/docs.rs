//! The OpenAPI document and a page to try it, both from the binary alone: no network needed.

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, License, OpenApi};
use utoipa::{Modify, OpenApi as _};
use utoipa_swagger_ui::SwaggerUi;

use super::Shell;

/// What the document says beside its routes.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "口袋书 Pocketbook",
        description = "手机同步与工作台接口 · The API of phones and desks.\n\n\
            Phones show `Authorization: Bearer <enrolment>.<64 hex>`, desks \
            `Authorization: Bearer desk.<64 hex>` from `POST /v1/desk/session`. \
            Every refusal is `application/problem+json` with a sentence that says what to do.",
    ),
    tags(
        (name = "phone", description = "手机 · Enrolment and exchange"),
        (name = "blobs", description = "照片与文件 · Photos and files (tus 1.0 core)"),
        (name = "book", description = "口袋书内容 · The pocket book"),
        (name = "desk", description = "工作台 · The desk"),
        (name = "server", description = "服务器 · The server itself"),
    ),
    modifiers(&Schemes),
    components(schemas(Problem)),
)]
struct Document;

pub(super) fn document() -> OpenApi {
    let mut document = Document::openapi();
    document.info.license = Some(License::new("Apache-2.0"));
    document
}

/// Returns the routes of the document and its page.
pub(super) fn page(document: OpenApi) -> axum::Router<Shell> {
    SwaggerUi::new("/docs")
        .url("/openapi.json", document)
        .into()
}

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_with(Components::new);
        for (name, about) in [
            ("phone", "<enrolment>.<64 hex>"),
            (
                "desk",
                "desk.<64 hex>, from POST /v1/desk/session, for 12 hours",
            ),
        ] {
            let scheme = Http::builder()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some(about))
                .build();
            components.add_security_scheme(name, SecurityScheme::Http(scheme));
        }
    }
}

/// A phone that introduces itself.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "mirrors wire::EnrolRequest for the document")]
pub(super) struct Enrol {
    /// 注册码 · The one-time code
    #[schema(example = "ABCD-EFGH-JKMN-PQRS")]
    code: String,
    /// SHA-256, in hex, of the 32 secret bytes that the phone has made.
    #[schema(example = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    secret_hash: String,
    /// 设备名 · What the phone calls itself, at most 80 characters
    #[schema(example = "iPad")]
    device: String,
    /// The schema that its app knows.
    #[schema(example = 1)]
    schema: u16,
    /// The earlier enrolment of this account on this phone, and the first number that it has no
    /// receipt for: `{enrolment, first_mseq}`.
    #[schema(value_type = Option<Object>)]
    continues: Option<u64>,
}

/// A phone that shares its identity with another.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "mirrors wire::EnrolAgain for the document")]
pub(super) struct EnrolAgain {
    /// SHA-256, in hex, of the 32 bytes of a new secret.
    #[schema(example = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    secret_hash: String,
    /// The first number that has no receipt on this phone.
    #[schema(example = 41)]
    first_mseq: u64,
    /// The schema that its app knows.
    #[schema(example = 1)]
    schema: u16,
}

/// A refusal (RFC 9457).
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "mirrors wire::Problem for the document")]
pub(super) struct Problem {
    /// Stable name of the refusal.
    #[schema(example = "code-used")]
    r#type: String,
    /// A sentence that says what to do, Chinese first.
    title: String,
    /// The HTTP status.
    status: u16,
    /// Come back after so long.
    retry_after_ms: Option<u64>,
}
