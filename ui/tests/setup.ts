import "@testing-library/jest-dom/vitest";
import { cleanup } from "@testing-library/react";
import { afterEach, vi } from "vitest";

// React batches what happens inside act() only when it knows that it is under test.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

afterEach(cleanup);

// jsdom lays nothing out, so nothing can scroll there.
Element.prototype.scrollIntoView = () => undefined;
Element.prototype.scrollTo = () => undefined;

// A canvas is the real window's business.
vi.mock("../src/features/chart/trend/draw", () => ({ keepDrawn: () => () => undefined }));
