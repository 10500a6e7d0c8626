//! Generates the bindings of `pocketbook-ffi` for Kotlin, Swift or Python.

fn main() {
    uniffi::uniffi_bindgen_main();
}
