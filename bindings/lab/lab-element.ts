// SPDX-License-Identifier: GPL-2.0-only
//
// What the elements have in common: a session, found or given, and what is shown while there is none.
//
// A subclass renders by `renderSession(session)` and listens in `connectSession(session)`, whose return value undoes it. Both are
// called again when `session` is set to another one; whatever an element shows is of the session that it has now. When the
// session's commands change, `commandsChanged(session)` is called and the element is rendered anew.
//
// A session that is closed is neither rendered nor connected: the element says that it is closed, until it gets another one.

import { LitElement, type PropertyValues, type TemplateResult, html } from "lit";
import { LabSession } from "./session.js";

/** Base of the lab's elements. */
export abstract class LabElement extends LitElement {
  static override properties = {
    session: { attribute: false },
    problem: { state: true },
  };

  /** What the element shows; the page's shared session unless set, and again when set to undefined. */
  declare session: LabSession | undefined;
  /** Why there is no session. */
  declare problem: string | undefined;
  #connected: LabSession | undefined;
  #isTakingShared = false;
  #disconnect: (() => void) | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.session === undefined) void this.#takeShared();
    else this.#follow();
    this.requestUpdate(); // the session may have been closed while the element was nowhere
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unfollow();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (this.session !== undefined) this.problem = undefined;
    else if (this.isConnected && changed.has("session")) void this.#takeShared();
    if (this.isConnected && this.session !== this.#connected) this.#follow();
  }

  protected override render(): TemplateResult {
    const { session, problem } = this;
    if (session?.isClosed === true) return html`<p class="muted" role="status">The file is closed.</p>`;
    if (session !== undefined) return this.renderSession(session);
    if (problem !== undefined) return html`<p role="alert" class="problem">${problem}</p>`;
    return html`<p class="muted" role="status">Starting the kernel …</p>`;
  }

  /** The element's content. */
  protected abstract renderSession(session: LabSession): TemplateResult;

  /** Starts to listen; returns what stops it. */
  protected abstract connectSession(session: LabSession): () => void;

  /** The session's commands are others now; the element is rendered after this. */
  protected commandsChanged(_session: LabSession): void {}

  /** The page's shared session that the element takes when it is given none. */
  protected sharedSession(): Promise<LabSession> {
    return LabSession.shared();
  }

  async #takeShared(): Promise<void> {
    if (this.#isTakingShared) return;
    this.#isTakingShared = true;
    this.problem = undefined;
    try {
      const shared = await this.sharedSession();
      this.session ??= shared;
    } catch (error) {
      if (this.session === undefined) {
        this.problem = `This page cannot run the library: ${error instanceof Error ? error.message : String(error)}`;
      }
    } finally {
      this.#isTakingShared = false;
    }
  }

  #follow(): void {
    this.#unfollow();
    const { session } = this;
    if (session === undefined || session.isClosed) return;
    const update = (): void => {
      this.commandsChanged(session);
      this.requestUpdate();
    };
    const close = (): void => {
      this.#unfollow();
      this.requestUpdate();
    };
    const disconnect = this.connectSession(session);
    session.addEventListener("commands", update);
    session.addEventListener("close", close);
    this.#connected = session;
    this.#disconnect = () => {
      session.removeEventListener("commands", update);
      session.removeEventListener("close", close);
      disconnect();
    };
  }

  #unfollow(): void {
    this.#disconnect?.();
    this.#disconnect = undefined;
    this.#connected = undefined;
  }
}
