//! Who gets to see what: every route for every role from every place, and no trace of a person
//! where none belongs.

mod canaries;
mod matrix;
mod scene;
