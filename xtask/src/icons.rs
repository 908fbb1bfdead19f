//! `cargo xtask icons`: draws every size of the icon from `icons/ghostlight.svg`. The results are committed.
//!
//! The rasteriser is behind a cargo feature, and this verb builds xtask again with it: icons change about once a year,
//! and nobody should wait for it in each fresh clone.

use std::process::ExitCode;

use crate::{Result, Verb, check_flags};

pub const VERB: Verb = Verb {
    name: "icons",
    usage: "",
    about: "draw all sizes of the icon from icons/ghostlight.svg",
    run: |args| check_flags(args, &[]).and_then(|()| run()),
};

#[cfg(not(feature = "icons"))]
fn run() -> Result<ExitCode> {
    use crate::proc;
    proc::run(proc::cargo().args([
        "run",
        "--quiet",
        "--package",
        "xtask",
        "--features",
        "icons",
        "--",
        "icons",
    ]))?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(feature = "icons")]
fn run() -> Result<ExitCode> {
    draw::all()?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(feature = "icons")]
mod draw {
    //! The drawing itself.

    use std::fs;

    use resvg::{tiny_skia, usvg};

    use crate::{Failure, Result, workspace};

    /// File names and widths in pixels that Tauri's bundles ask for.
    const PNG_FILES: &[(&str, u32)] = &[
        ("32x32.png", 32),
        ("128x128.png", 128),
        ("128x128@2x.png", 256),
        ("icon.png", 512),
    ];

    /// Windows picks from these by display scale; the first one should be 32, which its resource compiler previews.
    const ICO_SIZES: &[u32] = &[32, 16, 24, 48, 64, 256];

    /// macOS, up to the dock of a high-resolution display.
    const ICNS_SIZES: &[u32] = &[16, 32, 64, 128, 256, 512, 1024];

    /// Draws every file.
    pub fn all() -> Result<()> {
        let folder = workspace::root().join("icons");
        let source = folder.join("ghostlight.svg");
        let text = fs::read(&source).map_err(Failure::because(source.display()))?;
        let tree = usvg::Tree::from_data(&text, &usvg::Options::default())
            .map_err(Failure::because(source.display()))?;
        let save =
            |name: &str, bytes: Vec<u8>| workspace::write_if_changed(&folder.join(name), &bytes);
        for (name, width) in PNG_FILES {
            save(name, png_file(&tree, *width)?)?;
        }
        save("icon.ico", ico_file(&tree)?)?;
        save("icon.icns", icns_file(&tree)?)
    }

    /// Straight (not premultiplied) RGBA, row by row.
    fn pixels(tree: &usvg::Tree, width: u32) -> Result<Vec<u8>> {
        let mut canvas = tiny_skia::Pixmap::new(width, width)
            .ok_or_else(|| Failure::new("an icon without pixels"))?;
        let scale = width as f32 / tree.size().width();
        resvg::render(
            tree,
            tiny_skia::Transform::from_scale(scale, scale),
            &mut canvas.as_mut(),
        );
        Ok(canvas
            .pixels()
            .iter()
            .flat_map(|pixel| {
                let c = pixel.demultiply();
                [c.red(), c.green(), c.blue(), c.alpha()]
            })
            .collect())
    }

    fn png_file(tree: &usvg::Tree, width: u32) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, width);
        // Tauri reads its PNG icons as 8-bit RGBA only.
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header().map_err(Failure::because("png"))?;
        writer
            .write_image_data(&pixels(tree, width)?)
            .map_err(Failure::because("png"))?;
        writer.finish().map_err(Failure::because("png"))?;
        Ok(bytes)
    }

    fn ico_file(tree: &usvg::Tree) -> Result<Vec<u8>> {
        let mut folder = ico::IconDir::new(ico::ResourceType::Icon);
        for width in ICO_SIZES {
            let image = ico::IconImage::from_rgba_data(*width, *width, pixels(tree, *width)?);
            folder.add_entry(ico::IconDirEntry::encode(&image).map_err(Failure::because("ico"))?);
        }
        let mut bytes = Vec::new();
        folder.write(&mut bytes).map_err(Failure::because("ico"))?;
        Ok(bytes)
    }

    fn icns_file(tree: &usvg::Tree) -> Result<Vec<u8>> {
        let mut family = icns::IconFamily::new();
        for width in ICNS_SIZES {
            let image = icns::Image::from_data(
                icns::PixelFormat::RGBA,
                *width,
                *width,
                pixels(tree, *width)?,
            )
            .map_err(Failure::because("icns"))?;
            family.add_icon(&image).map_err(Failure::because("icns"))?;
        }
        let mut bytes = Vec::new();
        family.write(&mut bytes).map_err(Failure::because("icns"))?;
        Ok(bytes)
    }
}
