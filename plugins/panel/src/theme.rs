//! Colours, sizes and fonts of the panels, dark and light.
//!
//! Everything sits on a grid of 4 points; one accent colour marks what is chosen or what a person
//! moves, red is kept for the emergency stop and for errors.

use std::sync::Arc;

use egui::epaint::FontColorTransferFunction;
use egui::epaint::text::{FontTweak, TextOptions};
use egui::style::{ScrollStyle, Selection, WidgetVisuals, Widgets};
use egui::{
    Color32, Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Shadow,
    Stroke, Style, TextStyle, Theme, Ui, Visuals, vec2,
};

use crate::settings::ThemeChoice;

/// Radius of cards and buttons, points.
pub const RADIUS: u8 = 6;
/// Height of buttons and fields, points.
pub const CONTROL_HEIGHT: f32 = 24.0;

/// The colours of a theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Behind the panels.
    pub panel: Color32,
    /// Behind cards.
    pub card: Color32,
    /// Behind what floats: menus, notices, help.
    pub raised: Color32,
    /// Behind fields, rails and images.
    pub sunken: Color32,
    /// Behind the plot.
    pub chart: Color32,
    /// Behind buttons.
    pub control: Color32,
    /// Behind buttons under the pointer.
    pub control_hover: Color32,
    /// Behind buttons that are pressed.
    pub control_active: Color32,
    /// Hairlines and frames.
    pub line: Color32,
    /// Names and numbers that matter.
    pub strong: Color32,
    /// Plain text.
    pub text: Color32,
    /// Labels and explanations.
    pub weak: Color32,
    /// What is chosen, or what a person moves.
    pub accent: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    /// Behind what is chosen.
    pub accent_soft: Color32,
    /// All is well.
    pub good: Color32,
    /// Something is limited.
    pub warning: Color32,
    /// Something failed; the emergency stop.
    pub danger: Color32,
    /// The emergency stop under the pointer.
    pub danger_hover: Color32,
    /// Behind a warning of danger.
    pub danger_soft: Color32,
    /// Lines of the plot.
    pub series: [Color32; 8],
}

const fn rgb(value: u32) -> Color32 {
    Color32::from_rgb((value >> 16) as u8, (value >> 8) as u8, value as u8)
}

/// The dark theme's colours.
pub const DARK: Palette = Palette {
    panel: rgb(0x17191e),
    card: rgb(0x1e2127),
    raised: rgb(0x24272e),
    sunken: rgb(0x101216),
    chart: rgb(0x111317),
    control: rgb(0x2a2e36),
    control_hover: rgb(0x343942),
    control_active: rgb(0x3d434e),
    line: rgb(0x2d3139),
    strong: rgb(0xf0f2f5),
    text: rgb(0xcbd0d8),
    weak: rgb(0x8f96a3),
    accent: rgb(0x5aa2ff),
    on_accent: rgb(0x0b1526),
    accent_soft: rgb(0x22385a),
    good: rgb(0x43b581),
    warning: rgb(0xe9a93a),
    danger: rgb(0xd93a40),
    danger_hover: rgb(0xea4b50),
    danger_soft: rgb(0x3b1d20),
    series: [
        rgb(0x5aa2ff),
        rgb(0xf2a33c),
        rgb(0x52c08a),
        rgb(0xe56b9a),
        rgb(0x9d86f0),
        rgb(0x4cc3d0),
        rgb(0xd8c24a),
        rgb(0xe0705a),
    ],
};

/// The light theme's colours.
pub const LIGHT: Palette = Palette {
    panel: rgb(0xf3f4f6),
    card: rgb(0xffffff),
    raised: rgb(0xffffff),
    sunken: rgb(0xe6e8ec),
    chart: rgb(0xfbfbfc),
    control: rgb(0xe7e9ed),
    control_hover: rgb(0xdcdfe5),
    control_active: rgb(0xcdd2da),
    line: rgb(0xdadde3),
    strong: rgb(0x14171c),
    text: rgb(0x272c34),
    weak: rgb(0x59616d),
    accent: rgb(0x1f67d2),
    on_accent: rgb(0xffffff),
    accent_soft: rgb(0xd7e5fb),
    good: rgb(0x1c8a58),
    warning: rgb(0xb26a00),
    danger: rgb(0xcb2a31),
    danger_hover: rgb(0xb51f26),
    danger_soft: rgb(0xfbe4e4),
    series: [
        rgb(0x1f67d2),
        rgb(0xc26a00),
        rgb(0x1c8a58),
        rgb(0xbf3b73),
        rgb(0x6a4fcf),
        rgb(0x0c8391),
        rgb(0x8a7400),
        rgb(0xb8472f),
    ],
};

/// The colours of the theme that `ui` is drawn in.
#[must_use]
pub fn palette(ui: &Ui) -> &'static Palette {
    if ui.visuals().dark_mode {
        &DARK
    } else {
        &LIGHT
    }
}

/// Numbers: digits of one width, so that they don't jump.
#[must_use]
pub fn mono() -> FontId {
    FontId::new(12.0, FontFamily::Monospace)
}

/// Small numbers.
#[must_use]
pub fn mono_small() -> FontId {
    FontId::new(11.0, FontFamily::Monospace)
}

/// Plain text.
#[must_use]
pub fn body() -> FontId {
    FontId::new(13.0, FontFamily::Proportional)
}

/// Titles of panels.
#[must_use]
pub fn title() -> FontId {
    FontId::new(14.0, FontFamily::Proportional)
}

/// Explanations.
#[must_use]
pub fn small() -> FontId {
    FontId::new(11.5, FontFamily::Proportional)
}

/// Gives a context its fonts: before its first frame, there are no others. They are egui's own, without
/// the larger of its two fonts of symbols.
pub fn install_fonts(ctx: &Context) {
    let [text, code, symbols] = ["Ubuntu-Light", "Hack", "emoji-icon-font"];
    // As large as the letters beside them.
    let smaller = FontTweak {
        scale: 0.9,
        ..FontTweak::default()
    };
    let data = [
        (
            text,
            FontData::from_static(epaint_default_fonts::UBUNTU_LIGHT),
        ),
        (
            code,
            FontData::from_static(epaint_default_fonts::HACK_REGULAR),
        ),
        (
            symbols,
            FontData::from_static(epaint_default_fonts::EMOJI_ICON).tweak(smaller),
        ),
    ];
    let family = |names: [&str; 3]| names.map(str::to_owned).to_vec();
    ctx.set_fonts(FontDefinitions {
        font_data: data
            .into_iter()
            .map(|(name, data)| (name.to_owned(), Arc::new(data)))
            .collect(),
        families: [
            (FontFamily::Proportional, family([text, symbols, code])),
            (FontFamily::Monospace, family([code, text, symbols])),
        ]
        .into(),
    });
}

/// Gives both styles to a context and chooses one.
pub fn apply(ctx: &Context, theme: ThemeChoice) {
    ctx.set_style_of(Theme::Dark, style(&DARK, Visuals::dark()));
    ctx.set_style_of(Theme::Light, style(&LIGHT, Visuals::light()));
    ctx.set_theme(match theme {
        ThemeChoice::Dark => Theme::Dark,
        ThemeChoice::Light => Theme::Light,
    });
}

/// Space inside menus and their entries.
pub fn menu_style(style: &mut Style) {
    style.visuals.widgets.inactive.weak_bg_fill = Color32::TRANSPARENT;
    style.spacing.button_padding = vec2(8.0, 4.0);
    style.spacing.item_spacing = vec2(8.0, 2.0);
    style.wrap_mode = Some(egui::TextWrapMode::Extend);
}

fn style(palette: &Palette, base: Visuals) -> Style {
    let mut style = Style {
        text_styles: [
            (TextStyle::Small, small()),
            (TextStyle::Body, body()),
            (TextStyle::Button, body()),
            (TextStyle::Heading, title()),
            (TextStyle::Monospace, mono()),
        ]
        .into(),
        drag_value_text_style: TextStyle::Monospace,
        animation_time: 0.12,
        compact_menu_style: false,
        visuals: visuals(palette, base),
        ..Style::default()
    };
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.35;
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(8.0, 4.0);
    spacing.button_padding = vec2(10.0, 4.0);
    spacing.interact_size = vec2(CONTROL_HEIGHT, CONTROL_HEIGHT);
    spacing.menu_margin = Margin::same(6);
    spacing.window_margin = Margin::same(16);
    spacing.icon_width = 16.0;
    spacing.icon_width_inner = 8.0;
    spacing.icon_spacing = 8.0;
    spacing.tooltip_width = 320.0;
    spacing.scroll = ScrollStyle {
        bar_width: 8.0,
        floating_width: 4.0,
        bar_outer_margin: 0.0,
        bar_inner_margin: 0.0,
        dormant_handle_opacity: 0.35,
        fade: egui::style::ScrollFadeStyle {
            strength: 0.0,
            ..Default::default()
        },
        ..ScrollStyle::floating()
    };
    style
}

fn visuals(palette: &Palette, base: Visuals) -> Visuals {
    let radius = CornerRadius::same(RADIUS);
    let widget = |fill: Color32, text: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::NONE,
        corner_radius: radius,
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    let widgets = Widgets {
        noninteractive: WidgetVisuals {
            bg_stroke: Stroke::new(1.0, palette.line),
            ..widget(palette.card, palette.text)
        },
        inactive: widget(palette.control, palette.text),
        hovered: widget(palette.control_hover, palette.strong),
        active: widget(palette.control_active, palette.strong),
        open: widget(palette.control_hover, palette.strong),
    };
    let shadow = Shadow {
        offset: [0, 4],
        blur: 16,
        spread: 0,
        color: Color32::from_black_alpha(if base.dark_mode { 96 } else { 36 }),
    };
    Visuals {
        widgets,
        selection: Selection {
            bg_fill: palette.accent_soft,
            stroke: Stroke::new(
                1.0,
                if base.dark_mode {
                    palette.strong
                } else {
                    palette.accent
                },
            ),
        },
        // The window blends in linear light, which makes dark text on light ground thin; this
        // gives it its weight back. On dark ground it lends thin strokes some strength.
        text_options: TextOptions {
            color_transfer_function: FontColorTransferFunction::TwoCoverageMinusCoverageSq,
            ..base.text_options
        },
        weak_text_color: Some(palette.weak),
        hyperlink_color: palette.accent,
        faint_bg_color: palette.card,
        extreme_bg_color: palette.sunken,
        text_edit_bg_color: Some(palette.sunken),
        code_bg_color: palette.sunken,
        warn_fg_color: palette.warning,
        error_fg_color: palette.danger,
        window_corner_radius: CornerRadius::same(10),
        window_shadow: shadow,
        window_fill: palette.raised,
        window_stroke: Stroke::new(1.0, palette.line),
        menu_corner_radius: CornerRadius::same(8),
        panel_fill: palette.panel,
        popup_shadow: shadow,
        disabled_alpha: 0.45,
        ..base
    }
}
