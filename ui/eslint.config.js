import js from "@eslint/js";
import { createTypeScriptImportResolver } from "eslint-import-resolver-typescript";
import { importX } from "eslint-plugin-import-x";
import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

const features = ["connect", "chart", "search", "connections", "documents", "privacy"];

/** Who may not import from whom: components know no domain, features know no other feature. */
const zones = [
  ...features.map((feature) => ({
    target: `./src/features/${feature}`,
    from: "./src/features",
    except: [`./${feature}`],
    message: "Features never import each other; share through src/components or src/fhir.",
  })),
  { target: "./src/features", from: "./src/app", message: "Features do not know the shell." },
  { target: "./src/components", from: ["./src/features", "./src/app", "./src/fhir"], message: "Components know no domain." },
  { target: "./src/fhir", from: ["./src/features", "./src/app"], message: "FHIR datatypes do not know the screens." },
  { target: "./src/api", from: ["./src/features", "./src/app", "./src/fhir", "./src/components"], message: "The API layer shows nothing." },
];

export default ts.config(
  { ignores: ["dist", "node_modules", "src/api/bindings.ts"] },
  js.configs.recommended,
  ...ts.configs.strictTypeChecked,
  a11y.flatConfigs.strict,
  hooks.configs.flat["recommended-latest"],
  {
    plugins: { "import-x": importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: { "import-x/resolver-next": [createTypeScriptImportResolver({ project: "./tsconfig.json" })] },
    rules: {
      "import-x/no-cycle": "error",
      "import-x/no-restricted-paths": ["error", { zones }],
      "no-restricted-imports": ["error", { patterns: [{ group: ["@tauri-apps/*"], message: "Only src/api talks to Tauri." }] }],
      "no-restricted-syntax": [
        "error",
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "Only src/fhir/Narrative.tsx shows HTML, sanitised." },
      ],
      "max-lines": ["error", { max: 220, skipBlankLines: true, skipComments: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true }],
      // The engine's problems are data; a promise is rejected with them as they are.
      "@typescript-eslint/only-throw-error": ["error", { allow: [{ from: "file", name: "ProblemView" }] }],
      "@typescript-eslint/consistent-type-imports": "error",
      "no-console": "error",
      // What scrolls inside of itself is reached by the keyboard as a region with a name.
      "jsx-a11y/no-noninteractive-tabindex": ["error", { tags: [], roles: ["region", "tabpanel"] }],
    },
  },
  { files: ["src/api/client.ts"], rules: { "no-restricted-imports": "off" } },
  { files: ["dev/**", "tests/**", "**/*.test.*"], rules: { "max-lines": "off", "@typescript-eslint/no-non-null-assertion": "off" } },
  { files: ["*.js"], extends: [ts.configs.disableTypeChecked] },
);
