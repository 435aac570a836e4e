/**
 * OCA's style. The width of a tab comes from .editorconfig.
 *
 * @type {import("prettier").Config}
 */
module.exports = {
    plugins: [require.resolve("@prettier/plugin-xml")],
    bracketSpacing: false,
    printWidth: 88,
    proseWrap: "always",
    semi: true,
    trailingComma: "es5",
    xmlWhitespaceSensitivity: "preserve",
};
