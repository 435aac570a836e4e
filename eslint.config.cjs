/**
 * The rules that OCA checks in its repositories for Odoo 19. Here each of them is an
 * error: what is not worth an error is not worth a line of output.
 */
const globals = require("globals");
const jsdoc = require("eslint-plugin-jsdoc");

const RULES = `
    accessor-pairs array-callback-return constructor-super dot-notation eqeqeq
    init-declarations max-depth max-nested-callbacks max-statements-per-line
    no-alert no-array-constructor no-caller no-case-declarations no-class-assign
    no-cond-assign no-const-assign no-constant-condition no-control-regex
    no-debugger no-delete-var no-div-regex no-dupe-args no-dupe-class-members
    no-dupe-keys no-duplicate-case no-duplicate-imports no-else-return
    no-empty-character-class no-empty-function no-empty-pattern no-empty no-eq-null
    no-eval no-ex-assign no-extend-native no-extra-bind no-extra-boolean-cast
    no-extra-label no-fallthrough no-func-assign no-global-assign
    no-implicit-globals no-implied-eval no-inline-comments no-inner-declarations
    no-invalid-regexp no-irregular-whitespace no-iterator no-label-var no-labels
    no-lone-blocks no-lonely-if no-multi-str no-negated-condition no-new-func
    no-new-native-nonconstructor no-new-wrappers no-new no-obj-calls
    no-object-constructor no-octal-escape no-octal no-param-reassign no-proto
    no-prototype-builtins no-redeclare no-regex-spaces no-script-url no-self-assign
    no-self-compare no-sequences no-shadow-restricted-names no-shadow
    no-sparse-arrays no-this-before-super no-throw-literal no-undef-init no-undef
    no-unmodified-loop-condition no-unneeded-ternary no-unreachable
    no-unsafe-finally no-unsafe-negation no-unused-expressions no-unused-labels
    no-unused-vars no-use-before-define no-useless-call no-useless-computed-key
    no-useless-concat no-useless-constructor no-useless-escape no-useless-rename
    no-void no-with prefer-const radix require-yield sort-imports use-isnan
    valid-typeof yoda jsdoc/check-tag-names jsdoc/check-types
`;

module.exports = [
    {
        plugins: {jsdoc},
        languageOptions: {
            ecmaVersion: 2024,
            sourceType: "script",
            globals: {
                ...globals.browser,
                luxon: "readonly",
                odoo: "readonly",
                owl: "readonly",
            },
        },
        linterOptions: {reportUnusedDisableDirectives: "error"},
        rules: {
            ...Object.fromEntries(
                RULES.trim()
                    .split(/\s+/)
                    .map((rule) => [rule, "error"])
            ),
            "capitalized-comments": [
                "error",
                "always",
                {ignoreConsecutiveComments: true, ignoreInlineComments: true},
            ],
            complexity: ["error", 15],
            "no-implicit-coercion": ["error", {allow: ["~"]}],
            "no-return-assign": "error",
            "operator-assignment": ["error", "always"],
            "spaced-comment": ["error", "always"],
            strict: ["error", "function"],
        },
        settings: {
            jsdoc: {
                preferredTypes: {
                    array: "Array",
                    bool: "Boolean",
                    boolean: "Boolean",
                    number: "Number",
                    object: "Object",
                    str: "String",
                    string: "String",
                },
                tagNamePreference: {return: "returns", yield: "yields"},
            },
        },
    },
    {
        // What Odoo loads as ES modules.
        files: ["**/*.esm.js", "**/*.test.js"],
        languageOptions: {ecmaVersion: 2024, sourceType: "module"},
    },
    {
        files: ["*.config.cjs"],
        languageOptions: {sourceType: "commonjs", globals: globals.node},
        rules: {strict: "off"},
    },
];
