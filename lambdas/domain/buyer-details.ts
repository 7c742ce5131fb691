// What a buyer tells on the registration page: personal data, kept apart from everything that is billed.

export interface BuyerDetails {
  readonly customerId: string;
  readonly email: string;
  /** The other configured fields by name, as the buyer wrote them. */
  readonly fields: Readonly<Record<string, string>>;
  readonly submittedAt: number;
}
