//! A Tauri application with nothing in it: what the start of Ghostlight is compared with.

use tauri::Listener;

fn main() -> tauri::Result<()> {
    tauri::Builder::default()
        .setup(|app| {
            app.listen_any("interactive", |_| println!("interactive"));
            Ok(())
        })
        .run(tauri::generate_context!("src-tauri/empty/tauri.conf.json"))
}
