// SPDX-License-Identifier: GPL-2.0-only
//
// What the elements have in common: a session, found or given, and what is shown while there is none.
//
// A subclass renders by `renderSession(session)` and listens in `connectSession(session)`, whose return value undoes it. Both are
// called again when `session` is set to another one; whatever an element shows is of the session that it has now. When the
// session's commands change, `commandsChanged(session)` is called and the element is rendered anew.

import { LitElement, type TemplateResult, html } from "lit";
import { LabSession } from "./session.js";

/** Base of the lab's elements. */
export abstract class LabElement extends LitElement {
  static override properties = {
    session: { attribute: false },
    problem: { state: true },
  };

  /** What the element shows; the page's shared session unless set. */
  declare session: LabSession | undefined;
  /** Why there is no session. */
  declare problem: string | undefined;
  #connected: LabSession | undefined;
  #disconnect: (() => void) | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.session === undefined) void this.#takeShared();
    else this.#follow();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unfollow();
  }

  protected override willUpdate(): void {
    if (this.isConnected && this.session !== this.#connected) this.#follow();
  }

  protected override render(): TemplateResult {
    if (this.problem !== undefined) return html`<p role="alert" class="problem">${this.problem}</p>`;
    if (this.session === undefined) return html`<p class="muted" role="status">Starting the kernel …</p>`;
    return this.renderSession(this.session);
  }

  /** The element's content. */
  protected abstract renderSession(session: LabSession): TemplateResult;

  /** Starts to listen; returns what stops it. */
  protected abstract connectSession(session: LabSession): () => void;

  /** The session's commands are others now; the element is rendered after this. */
  protected commandsChanged(_session: LabSession): void {}

  async #takeShared(): Promise<void> {
    try {
      const shared = await LabSession.shared();
      this.session ??= shared;
    } catch (error) {
      this.problem = `This page cannot run the library: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  #follow(): void {
    this.#unfollow();
    if (this.session === undefined) return;
    const session = this.session;
    const update = (): void => {
      this.commandsChanged(session);
      this.requestUpdate();
    };
    session.addEventListener("commands", update);
    const disconnect = this.connectSession(session);
    this.#connected = session;
    this.#disconnect = () => {
      session.removeEventListener("commands", update);
      disconnect();
    };
  }

  #unfollow(): void {
    this.#disconnect?.();
    this.#disconnect = undefined;
    this.#connected = undefined;
  }
}
