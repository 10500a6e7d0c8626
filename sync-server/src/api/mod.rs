//! The HTTP API: thin handlers over the [`Server`], each route registered once for the router and
//! for the OpenAPI document.
//!
//! # One request
//! The address finds its handler. An extractor recognises the caller ([`caller`]), the handler
//! reads a bounded body ([`payload`]), calls one function of the server and turns what comes back
//! into JSON. Whatever goes wrong on the way ends as one [`problem::Shown`], and a panic ends as
//! one too: no answer of this API is anything but ours.
//!
//! # What tests get
//! [`router`] is everything but the line: no socket, no TLS, no time-outs (those belong to
//! [`crate::serve`]). A test drives it in its own process with the same requests that a phone
//! sends.

mod blobs;
mod book;
mod caller;
mod desk;
mod docs;
mod enrol;
mod health;
mod path;
mod payload;
mod problem;
mod sync;
#[cfg(test)]
mod tests;
mod throttle;
mod words;

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::problem::Shown;
use self::throttle::Throttle;
use crate::Server;
use crate::blobs::Blobs;
use crate::desk::Door;

/// Requests that are answered at the same time. More are told to come back: memory is bounded, and
/// a phone that waits a few seconds loses nothing.
const MOST_AT_ONCE: usize = 512;

/// What handlers share.
#[derive(Clone)]
struct Shell {
    server: Server,
    blobs: Arc<Blobs>,
    door: Arc<Door>,
    throttle: Arc<Throttle>,
}

/// Returns the whole API of a server: what tests drive.
pub fn router(server: Server) -> Router {
    let blobs = Arc::new(Blobs::of(server.clone()));
    router_with(server, blobs)
}

/// Returns the whole API of a server and its files: what [`crate::serve`] binds.
pub(crate) fn router_with(server: Server, blobs: Arc<Blobs>) -> Router {
    let shell = Shell {
        blobs,
        door: Arc::default(),
        throttle: Arc::default(),
        server,
    };
    let (router, document) = OpenApiRouter::with_openapi(docs::document())
        .routes(routes!(enrol::enrol))
        .routes(routes!(enrol::enrol_again))
        .routes(routes!(sync::sync))
        .routes(routes!(blobs::create, blobs::options))
        .routes(routes!(blobs::read, blobs::offset, blobs::append))
        .routes(routes!(blobs::thumbnails))
        .routes(routes!(book::manifest))
        .routes(routes!(book::part))
        .routes(routes!(desk::session::begin, desk::session::end))
        .routes(routes!(desk::cases::list, desk::cases::create))
        .routes(routes!(desk::cases::read))
        .routes(routes!(desk::cases::command))
        .routes(routes!(desk::tray::reviews))
        .routes(routes!(desk::tray::decide))
        .routes(routes!(desk::tray::parked))
        .routes(routes!(desk::tray::command))
        .routes(routes!(desk::radar::radar))
        .routes(routes!(health::health))
        .split_for_parts();
    router
        .merge(docs::page(document))
        .fallback(async || Shown::NoSuchAddress)
        .method_not_allowed_fallback(async || Shown::WrongMethod)
        .with_state(shell)
        .layer(middleware::from_fn(payload::compressed))
        .layer(middleware::from_fn_with_state(
            Arc::new(Semaphore::new(MOST_AT_ONCE)),
            bounded,
        ))
        .layer(middleware::from_fn(traced))
        .layer(CatchPanicLayer::custom(panicked))
}

/// Lets so many requests in. A stream of frames counts until its first line is ready.
async fn bounded(State(seats): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    match seats.try_acquire() {
        Ok(_seat) => next.run(request).await,
        Err(_) => Shown::Overloaded.into_response(),
    }
}

/// Writes one line per request: no query, no body, no id of a person.
async fn traced(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned());
    let answer = next.run(request).await;
    let status = answer.status().as_u16();
    if method != Method::OPTIONS {
        tracing::info!(%method, route, status, "request");
    }
    answer
}

fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    // The text of a panic may hold a value; the hook has written where it happened.
    drop(panic);
    Shown::Panicked.into_response()
}
