import { Component, type ReactNode } from "react";

interface BoundaryProps {
  children: ReactNode;
  /** What stands there when the children cannot be drawn. */
  instead: ReactNode;
}

/** Keeps what cannot be drawn from taking the rest of the window with it. */
export class Boundary extends Component<BoundaryProps, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? this.props.instead : this.props.children;
  }
}
